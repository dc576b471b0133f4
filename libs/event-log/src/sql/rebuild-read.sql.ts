/** The next streams of the log, found by their first event: also those whose head is gone. */
export const rebuildNextStreams = /* sql */ `
select stream_id from event where sequence = 1 and stream_id > $1 order by stream_id limit $2`;

/** All events of the streams whose heads were locked before, in a statement of its own so that it sees every commit. */
export const rebuildReadEvents = /* sql */ `
select stream_id, sequence, event_id, type, schema_version, data, metadata, recorded_at, log_incarnation,
  recorded_at::text as at
from event where stream_id = any($1) order by stream_id, sequence`;
