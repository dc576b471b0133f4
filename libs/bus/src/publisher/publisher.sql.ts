export const loadPublisher = /* sql */ `
select c.log_incarnation, c.transaction_id::text as transaction_id, c.stream_id, c.sequence,
  p.cluster_id, p.marks, p.republished
from (select $1::text as name) n
left join checkpoint c on c.subscriber = n.name
left join bus_publisher p on p.name = n.name`;

const keepMarks = /* sql */ `
insert into bus_publisher as p (name, cluster_id, marks)
select $1, $2, $3::jsonb from moved
on conflict (name) do update set cluster_id = excluded.cluster_id, marks = excluded.marks, moved_at = now()`;

/** $1 lane, $2 cluster, $3 marks, $4..$7 to, $8..$11 from. */
export const movePublisher = /* sql */ `
with moved as (
  update checkpoint set log_incarnation = $4, transaction_id = $5::xid8, stream_id = $6, sequence = $7, moved_at = now()
  where subscriber = $1
    and (log_incarnation, transaction_id, stream_id, sequence) = ($8::smallint, $9::xid8, $10::uuid, $11::int)
  returning 1
)${keepMarks}`;

export const startPublisher = /* sql */ `
with moved as (
  insert into checkpoint (subscriber, log_incarnation, transaction_id, stream_id, sequence)
  values ($1, $4, $5::xid8, $6, $7) on conflict do nothing returning 1
)${keepMarks}`;

/**
 * Sets the checkpoint back to just before the first event that is not older than $3 ms (null: to the beginning); never
 * forward. $1 lane, $2 cluster, $4 reason, $5 the lowest uuid.
 */
export const publishFrom = (event: 'event' | 'cluster_event') => /* sql */ `
with first as (
  select log_incarnation, transaction_id, stream_id, sequence - 1 as sequence from ${event}
  where $3::float8 is not null and recorded_at >= now() - $3::float8 * interval '1 ms'
  order by ${event}.log_incarnation, ${event}.transaction_id, ${event}.stream_id, ${event}.sequence limit 1
),
target as (
  select log_incarnation, transaction_id, stream_id, sequence from first
  union all select 0::smallint, '0'::xid8, $5::uuid, 0 where $3::float8 is null
),
moved as (
  update checkpoint c set log_incarnation = t.log_incarnation, transaction_id = t.transaction_id,
    stream_id = t.stream_id, sequence = t.sequence, moved_at = now()
  from target t where c.subscriber = $1
    and (t.log_incarnation, t.transaction_id, t.stream_id, t.sequence)
      < (c.log_incarnation, c.transaction_id, c.stream_id, c.sequence)
)
insert into bus_publisher as p (name, cluster_id, marks, republished)
values ($1, $2, '{}', jsonb_build_object('reason', $4::text, 'at', now(), 'since', now() - $3::float8 * interval '1 ms'))
on conflict (name) do update set cluster_id = excluded.cluster_id, marks = excluded.marks,
  republished = excluded.republished, moved_at = now()
returning republished`;

export const positionSince = /* sql */ `
select log_incarnation, transaction_id::text as transaction_id, stream_id, sequence - 1 as sequence from event
where recorded_at >= $1::timestamptz
order by event.log_incarnation, event.transaction_id, event.stream_id, event.sequence limit 1`;
