import { afterPosition } from './after-position.sql.js';

/** As read-tail, for who passes the events on: data as text, of the metadata only the trace. */
export const readTailStored = (event: 'event' | 'cluster_event') => /* sql */ `
select stream_id, sequence, event_id, type, schema_version, data::text, metadata ->> 'traceparent', recorded_at,
  log_incarnation, transaction_id::text
from ${event}
where ${afterPosition}
  and (log_incarnation < (select max(number) from log_incarnation)
    or transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
order by ${event}.log_incarnation, ${event}.transaction_id, ${event}.stream_id, ${event}.sequence
limit $5`;
