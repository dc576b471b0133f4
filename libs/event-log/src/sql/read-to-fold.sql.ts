/**
 * Events of a stream in one row, with what folding needs of them: the data as one JSON text, types and versions as lists,
 * and of the events of the process itself when they were recorded (ms) and what came with them.
 */
const columns = /* sql */ `count(*)::int as count, max(sequence) as last,
  '[' || string_agg(data::text, ',' order by sequence) || ']' as data,
  string_agg(type, ',' order by sequence) as types,
  string_agg(schema_version::text, ',' order by sequence) as versions,
  json_object_agg(sequence, json_build_object('at', (extract(epoch from recorded_at) * 1000)::float8, 'metadata', metadata))
    filter (where type like 'Process%') as more`;

/** A page of one stream. */
export const readToFold = /* sql */ `
select ${columns} from (
  select sequence, type, schema_version, data, metadata, recorded_at from event
  where stream_id = $1 and sequence > $2 order by sequence limit $3
) page`;

/** Many streams, each whole. */
export const readWholeToFold = /* sql */ `
select s.id, folded.* from unnest($1::uuid[]) s(id)
cross join lateral (
  select ${columns} from (
    select sequence, type, schema_version, data, metadata, recorded_at from event
    where stream_id = s.id order by sequence
  ) whole
) folded`;
