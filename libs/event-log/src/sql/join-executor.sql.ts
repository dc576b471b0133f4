import { writeClusterEvents } from './cluster-events.sql.js';

const told = "jsonb_build_object('host', $2::text, 'pid', $3::int, 'version', $4::text, 'capacity', $6::int)";

export const joinExecutor = /* sql */ `
with joined as (
  insert into executor (id, host, pid, version, http, capacity, lease_ms, heartbeat_ms)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
  on conflict (id) do update set heartbeat_at = now() where executor.status = 'alive'
  returning id
),
told as (${writeClusterEvents('joined', 1, 'ExecutorJoined', told)})
select id from joined`;
