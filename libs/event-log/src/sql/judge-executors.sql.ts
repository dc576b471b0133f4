/**
 * What can be said of every other living incarnation: whether its lease ran out by the database's clock (time that the
 * database was away does not count), and whether its session lock is free. The lock that a probe gets is given back
 * with the statement.
 */
export const judgeExecutors = /* sql */ `
select x.id, x.heartbeat_at::text as heartbeat_at, x.heartbeat_ms,
  greatest(x.heartbeat_at, u.accepting_since) + x.lease_ms * interval '1 ms' < now() as lease_over,
  u.accepting_since + x.lease_ms * interval '1 ms' < now() as accepting_long_enough,
  x.locked and pg_try_advisory_xact_lock(hashtextextended('baton executor ' || x.id, 0)) as lock_free
from executor x
cross join lateral (
  select greatest(coalesce(max(accepting_since), now()), pg_postmaster_start_time()) as accepting_since from database_up
) u
where x.status = 'alive' and x.id <> $1`;
