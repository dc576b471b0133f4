/** Events of many streams, each after its own version and at most $3 of each. */
export const readEvents = /* sql */ `
select e.stream_id, e.sequence, e.event_id, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, e.log_incarnation
from unnest($1::uuid[], $2::int[]) s(stream, after)
cross join lateral (
  select * from event e where e.stream_id = s.stream and e.sequence > s.after order by e.sequence limit $3
) e
order by e.stream_id, e.sequence`;
