import { afterPosition } from './after-position.sql.js';

/**
 * As read-tail, but only what spans are made of: neither ids nor positions, what came along only of the first event, and
 * without what people and targets wrote where there is much of it (then it would be most of what is sent and parsed).
 * The whole page is one row of lists: neither a type nor a time has a comma in it.
 */
export const readTraceTail = /* sql */ `
select string_agg(stream_id::text, ',') as streams, string_agg(sequence::text, ',') as sequences,
  string_agg(type, ',') as types, string_agg(recorded_at::text, ',') as times,
  '[' || string_agg(data::text, ',') || ']' as data,
  '[' || string_agg(coalesce(case when sequence = 1 then metadata::text end, 'null'), ',') || ']' as metadata
from (
  select stream_id, sequence, type, recorded_at, metadata,
    case when pg_column_size(data) < 600 then data
      else data - '{inputs,outputs,output,items,keys,held,labels,environment,trigger,answer}'::text[] end as data
  from event
  where ${afterPosition}
    and (log_incarnation < (select max(number) from log_incarnation)
      or transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
  order by event.log_incarnation, event.transaction_id, event.stream_id, event.sequence
  limit $5
) page`;
