/**
 * As read-tail, but only what spans are made of: neither ids nor positions, what came along only of the first event, and
 * without what people and targets wrote where there is much of it (then it would be most of what is sent and parsed).
 */
export const readTraceTail = /* sql */ `
select stream_id, sequence, type, recorded_at,
  case when pg_column_size(data) < 600 then data
    else data - '{inputs,outputs,output,items,keys,held,labels,environment,trigger,answer}'::text[] end as data,
  case when sequence = 1 then metadata end as metadata
from event
where (log_incarnation, transaction_id) >= ($1::smallint, $2::xid8)
  and (log_incarnation, transaction_id, stream_id, sequence) > ($1::smallint, $2::xid8, $3::uuid, $4::int)
  and (log_incarnation < (select max(number) from log_incarnation)
    or transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
order by event.log_incarnation, event.transaction_id, event.stream_id, event.sequence
limit $5`;
