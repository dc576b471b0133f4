/**
 * What the cluster waits for, in one look. Longest wait: the first runnable head without an owner of each priority
 * level, one index probe each. Lag of a subscriber of the tail ($1): age of the first event behind its checkpoint.
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
    ) r) as longest_wait,
  (select jsonb_object_agg(s.subscriber, s.lag) from (
    select n.subscriber, greatest(0, coalesce(extract(epoch from now() - e.recorded_at), 0))::float8 as lag
    from unnest($1::text[]) n(subscriber)
    left join checkpoint c on c.subscriber = n.subscriber
    left join lateral (
      select recorded_at from event
      where (log_incarnation, transaction_id)
          >= (coalesce(c.log_incarnation, 0::smallint), coalesce(c.transaction_id, '0'::xid8))
        and (c.subscriber is null or (log_incarnation, transaction_id, stream_id, sequence)
          > (c.log_incarnation, c.transaction_id, c.stream_id, c.sequence))
      order by log_incarnation, transaction_id limit 1
    ) e on true
  ) s) as lags`;
