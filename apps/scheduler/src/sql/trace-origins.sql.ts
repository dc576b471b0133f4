/** The trace context that came with the request of each of these processes; those without one are not in the answer. */
export const traceOrigins = /* sql */ `
select stream_id, metadata ->> 'traceparent' as traceparent
from event
where stream_id = any($1::uuid[]) and sequence = 1 and metadata ? 'traceparent'`;
