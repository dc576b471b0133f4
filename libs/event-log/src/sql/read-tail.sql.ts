import { afterPosition } from './after-position.sql.js';

/**
 * Settled events after a position, in the order of the tail. Settled: of an older log incarnation, or of a transaction
 * below the oldest one that may still commit. The index leads on (log_incarnation, transaction_id); the rest is sorted
 * within one transaction. The order names the table: a bare `transaction_id` would be the text of the select list,
 * and '1000' sorts before '999'.
 */
export const readTail = (event: 'event' | 'cluster_event') => /* sql */ `
select stream_id, sequence, event_id, type, schema_version, data, metadata, recorded_at, log_incarnation,
  transaction_id::text as transaction_id
from ${event}
where ${afterPosition}
  and (log_incarnation < (select max(number) from log_incarnation)
    or transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
order by ${event}.log_incarnation, ${event}.transaction_id, ${event}.stream_id, ${event}.sequence
limit $5`;
