/**
 * Names and keys where a message waits and a receiver, too; or where a claim was not finished: that one is delivered
 * however old it is, because its receiver gets no other before.
 */
export const openMessages = /* sql */ `
select distinct m.name, m.key
from message m
where m.delivered_at is null
  and (m.claimed_stream is not null
    or m.keep_until > now() and exists (select from receiver r where r.name = m.name and r.key = m.key and r.topic is null))
limit $1`;
