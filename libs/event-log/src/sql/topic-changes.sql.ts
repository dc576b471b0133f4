/** By topic that somebody waits for: a mark that differs when records or receivers have come. */
export const topicChanges = /* sql */ `
select r.topic, concat_ws('/', r.receivers, r.who, coalesce(n.number, 0)) as mark
from (
  select topic, count(*) as receivers,
    bit_xor(hashtextextended(stream_id::text || path || opened_at::text, attempt)) as who
  from receiver where topic is not null group by topic
) r
left join lateral (
  select number from topic_record t
  where t.topic = r.topic and t.delivered_at is null and t.claimed_stream is null order by number desc limit 1
) n on true`;
