/**
 * Settled events after a position, in the order of the tail. Settled: of an older log incarnation, or of a transaction
 * below the oldest one that may still commit. The index leads on (log_incarnation, transaction_id); the rest is sorted
 * within one transaction.
 */
export const readTail = /* sql */ `
select stream_id, sequence, event_id, type, schema_version, data, metadata, recorded_at, log_incarnation,
  transaction_id::text as transaction_id
from event
where (log_incarnation, transaction_id) >= ($1::smallint, $2::xid8)
  and (log_incarnation, transaction_id, stream_id, sequence) > ($1::smallint, $2::xid8, $3::uuid, $4::int)
  and (log_incarnation < (select max(number) from log_incarnation)
    or transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
order by log_incarnation, transaction_id, stream_id, sequence
limit $5`;
