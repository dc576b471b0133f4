/**
 * One executor's sign of life. It also keeps since when this database accepts writes: anew after a restart of the
 * server, and when nobody at all could write for longer than a lease, so that time it was away counts against nobody.
 * Returns no row for an incarnation that was marked lost.
 */
export const heartbeat = /* sql */ `
with last as (
  select coalesce(max(heartbeat_at), now()) as at, coalesce(max(lease_ms), 0) as lease_ms
  from executor where status = 'alive'
),
up as (
  insert into database_up as d (started_at, accepting_since) values (pg_postmaster_start_time(), now())
  on conflict (singleton) do update set started_at = excluded.started_at, accepting_since = excluded.accepting_since
  where d.started_at <> excluded.started_at
    or (select at + lease_ms * interval '1 ms' < now() from last)
  returning accepting_since
)
update executor set heartbeat_at = clock_timestamp(), driven = $2, draining = $3, progress = $4, locked = $5
where id = $1 and status = 'alive'
returning (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms`;
