/**
 * What the cluster waits for, in one look. Longest wait: the first runnable head without an owner of each priority
 * level, one index probe each.
 */
export const readGauges = /* sql */ `
select
  (select coalesce(jsonb_object_agg(q.priority, q.n), '{}') from (
    select priority, count(*) as n from queue group by priority
  ) q) as queue,
  (select coalesce(jsonb_object_agg(x.status, x.n), '{}') from (
    select case when status = 'alive' and draining then 'draining' else status end as status, count(*) as n
    from executor where ended_at is null or ended_at > now() - interval '1 hour' group by 1
  ) x) as executors,
  (select coalesce(sum(driven), 0)::int from executor where status = 'alive') as driven,
  (select coalesce(sum(capacity), 0)::int from executor where status = 'alive') as capacity,
  (select count(*)::int from incident) as incidents,
  (select count(*)::int from task) as tasks,
  (select greatest(0, coalesce(extract(epoch from max(now() - r.runnable_at)), 0))::float8
    from generate_series(0, 9) v(level)
    cross join lateral (
      select runnable_at from process
      where owner is null and priority = v.level and runnable_at <= now()
      order by runnable_at limit 1
    ) r) as longest_wait`;
