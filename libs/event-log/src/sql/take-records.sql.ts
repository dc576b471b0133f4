/**
 * Under the lock of the topic: the partition's position moves behind the batch ($3), and of its records ($4 id,
 * $5 offset, $6 key, $7 record) those are kept for $8 ms that stand at the position or behind it.
 */
export const takeRecords = /* sql */ `
with before as (
  select coalesce((select next_offset from topic_position where topic = $1 and partition = $2), 0) as next_offset
),
moved as (
  insert into topic_position as p (topic, partition, next_offset) values ($1, $2, $3)
  on conflict (topic, partition) do update set next_offset = greatest(p.next_offset, excluded.next_offset), moved_at = now()
),
taken as (
  insert into topic_record (topic, id, key, record, keep_until)
  select $1, r.id, r.key, r.record, now() + $8::float8 * interval '1 ms'
  from unnest($4::text[], $5::bigint[], $6::text[], $7::jsonb[]) with ordinality r(id, record_offset, key, record, n), before
  where r.record_offset >= before.next_offset
  order by r.n
  on conflict (topic, id) do nothing
  returning 1
)
select count(*)::int as taken from taken`;
