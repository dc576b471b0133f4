export const joinExecutor = /* sql */ `
insert into executor (id, host, pid, version, http, capacity, lease_ms, heartbeat_ms)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (id) do update set heartbeat_at = now() where executor.status = 'alive'
returning id`;
