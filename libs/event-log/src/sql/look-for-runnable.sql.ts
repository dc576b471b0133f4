/**
 * (id, version) of what somebody should drive now, one index scan per priority level; nothing is locked. $2: not these.
 *
 * Each executor has a share of its own, by the hash of the id among those that are alive and have room ($3: who looks);
 * `mine` tells it. All are woken by the same hint: when they tried the same, every second claim of two executors was refused,
 * each after its process had been read and decided. $4: also what others should have taken this long ago (ms); null: mine.
 */
export const lookForRunnable = /* sql */ `
with shares as materialized (
  select count(*) as all, count(*) filter (where id < $3) as mine
  from executor where id = $3 or (status = 'alive' and not draining and driven < capacity)
)
select q.id, q.version, q.claims, q.priority, (extract(epoch from now() - q.runnable_at) * 1000)::float8 as waited, q.mine
from shares
cross join generate_series(9, 0, -1) v(level)
cross join lateral (
  select *, (uuid_hash_extended(id, 0) & 2147483647) % greatest(shares.all, 1) = shares.mine as mine from process
  where owner is null and priority = v.level and runnable_at <= now() and id <> all ($2::uuid[])
    and ((uuid_hash_extended(id, 0) & 2147483647) % greatest(shares.all, 1) = shares.mine
      or runnable_at <= now() - $4::float8 * interval '1 ms')
  order by runnable_at limit $1
) q
limit $1`;
