/**
 * A page of one stream in one row, with what folding needs of it: the data as one JSON text, types and versions as lists,
 * and of the events of the process itself when they were recorded and what came with them.
 */
export const readToFold = /* sql */ `
select count(*)::int as count, max(sequence) as last,
  '[' || string_agg(data::text, ',' order by sequence) || ']' as data,
  string_agg(type, ',' order by sequence) as types,
  string_agg(schema_version::text, ',' order by sequence) as versions,
  json_object_agg(sequence, json_build_object('recordedAt', recorded_at, 'metadata', metadata))
    filter (where type like 'Process%') as more
from (
  select sequence, type, schema_version, data, metadata, recorded_at from event
  where stream_id = $1 and sequence > $2 order by sequence limit $3
) page`;
