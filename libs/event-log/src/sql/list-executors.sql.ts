/** The living, and the dead of the last hour. */
export const listExecutors = /* sql */ `
select x.id, x.host, x.pid, x.version, x.http, x.capacity, x.lease_ms, x.started_at, x.heartbeat_at, x.ended_at, x.proof,
  case when x.status <> 'alive' then x.status
    when x.heartbeat_at + x.lease_ms * interval '1 ms' < now() then 'suspect'
    when x.draining then 'draining' else 'alive' end as status,
  (select count(*)::int from process p where p.owner = x.id) as processes
from executor x
where x.status = 'alive' or x.ended_at > now() - interval '1 hour'
order by x.started_at, x.id`;
