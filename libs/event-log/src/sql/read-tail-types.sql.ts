import { afterPosition } from './after-position.sql.js';

/**
 * As read-tail, but only events of some types ($6), and with each row the end of what is settled in this snapshot: when
 * fewer than $5 are found, everything before it has been looked through. Without an event one row tells the end alone.
 */
export const readTailTypes = (event: 'event' | 'cluster_event') => /* sql */ `
select found.*, settled.at_incarnation, settled.at_transaction::text as at_transaction
from (
  select (select max(number) from log_incarnation) as at_incarnation,
    pg_snapshot_xmin(pg_current_snapshot()) as at_transaction
) settled
left join lateral (
  select stream_id, sequence, event_id, type, schema_version, data, metadata, recorded_at, log_incarnation,
    transaction_id::text as transaction_id
  from ${event}
  where ${afterPosition}
    and (log_incarnation < settled.at_incarnation or transaction_id < settled.at_transaction)
    and type = any($6::text[])
  order by ${event}.log_incarnation, ${event}.transaction_id, ${event}.stream_id, ${event}.sequence
  limit $5
) found on true
order by found.log_incarnation, found.transaction_id::xid8, found.stream_id, found.sequence`;
