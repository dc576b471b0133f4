/** A record for a receiver that still waits. A receiver that has one already violates the unique index. */
export const claimRecord = /* sql */ `
update topic_record set claimed_stream = $3, claimed_path = $4
where topic = $1 and id = $2 and claimed_stream is null and delivered_at is null
  and exists (select from receiver r where r.stream_id = $3 and r.path = $4 and r.topic = $1)`;
