/**
 * (id, version) of what somebody should drive now, one index scan per priority level; nothing is locked. $2: not these.
 * `claimants`: the executors that are alive.
 */
export const lookForRunnable = /* sql */ `
select q.id, q.version, q.claims, q.priority, (extract(epoch from now() - q.runnable_at) * 1000)::float8 as waited,
  (select count(*)::int from executor where status = 'alive') as claimants
from generate_series(9, 0, -1) v(level)
cross join lateral (
  select id, version, claims, priority, runnable_at from process
  where owner is null and priority = v.level and runnable_at <= now() and id <> all ($2::uuid[])
  order by runnable_at limit $1
) q
limit $1`;
