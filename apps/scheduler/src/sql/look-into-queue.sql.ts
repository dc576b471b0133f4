/**
 * What may be admitted now. Four looks: without key and start time, along an index; those of them that are children,
 * which are admitted beyond the admission limit and must be seen behind any backlog; with a start time that has come; and
 * per concurrency key (found by skipping through the index) the first ones, none where the key is full and its rows only
 * wait. $1: how many of each look, $2: how many per key. With each row its head's version, and how long until the next
 * start time (ms, null: none is known), which one row tells alone when there is nothing to admit.
 */
export const lookIntoQueue = /* sql */ `
with recursive keys(key) as (
  (select key from queue where key is not null order by key limit 1)
  union all
  select (select q.key from queue q where q.key > keys.key order by q.key limit 1) from keys where keys.key is not null
),
plain as (
  select stream_id, priority, enqueued_at, null::text as key, null::int as key_limit, null::text as on_limit,
    false as has_slot
  from queue where key is null and not_before is null
  order by priority desc, enqueued_at, stream_id limit $1
),
children as (
  select q.stream_id, q.priority, q.enqueued_at, null::text, null::int, null::text, false
  from queue q
  where q.key is null and q.not_before is null
    and exists (select from child c where c.stream_id = q.stream_id and not c.told)
  order by q.priority desc, q.enqueued_at, q.stream_id limit $1
),
due as (
  select stream_id, priority, enqueued_at, null::text, null::int, null::text, false
  from queue where not_before is not null and not_before <= now() and key is null
  order by not_before limit $1
),
keyed as (
  select q.stream_id, q.priority, q.enqueued_at, q.key, q.key_limit, q.on_limit, q.has_slot
  from keys k
  cross join lateral (select count(*) as n from slot where slot.key = k.key) held
  cross join lateral (
    select exists (select from queue w where w.key = k.key and (held.n < w.key_limit or w.on_limit <> 'queue'
      or exists (select from slot s where s.key = k.key and s.stream_id = w.stream_id))) as any
  ) open
  cross join lateral (
    select w.*, exists (select from slot s where s.key = k.key and s.stream_id = w.stream_id) as has_slot
    from queue w
    where open.any and w.key = k.key and (w.not_before is null or w.not_before <= now())
    order by has_slot desc, w.priority desc, w.enqueued_at, w.stream_id
    limit $2
  ) q
  where k.key is not null
)
select a.*, exists (select from child c where c.stream_id = a.stream_id) as is_child,
  (select version from process where id = a.stream_id) as version, n.next_start_ms
from (
  select (extract(epoch from min(not_before) - clock_timestamp()) * 1000)::float8 as next_start_ms
  from queue where not_before > now()
) n
left join (select * from plain union select * from children union all select * from due union all select * from keyed) a
  on true
order by a.priority desc, a.enqueued_at, a.stream_id`;
