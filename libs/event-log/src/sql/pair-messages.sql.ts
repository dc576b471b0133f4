/**
 * Under the lock of one (name, key): the oldest unclaimed messages to the oldest receivers that no other message was
 * claimed for.
 */
export const pairMessages = /* sql */ `
with m as (
  select id, row_number() over (order by received_at, id) as n
  from message where name = $1 and key = $2 and delivered_at is null and claimed_stream is null and keep_until > now()
),
r as (
  select stream_id, path, row_number() over (order by opened_at, stream_id, path) as n
  from receiver r
  where name = $1 and key = $2 and topic is null
    and not exists (
      select from message c where c.claimed_stream = r.stream_id and c.claimed_path = r.path and c.delivered_at is null
    )
)
update message t set claimed_stream = r.stream_id, claimed_path = r.path
from m join r using (n)
where t.name = $1 and t.key = $2 and t.id = m.id`;
