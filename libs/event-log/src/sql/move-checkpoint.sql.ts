/** Compare-and-set: a stale reader cannot move a checkpoint back. $2..$5 from (null: it must not exist), $6..$9 to. */
export const moveCheckpoint = /* sql */ `
update checkpoint set log_incarnation = $6, transaction_id = $7::xid8, stream_id = $8, sequence = $9, moved_at = now()
where subscriber = $1
  and (log_incarnation, transaction_id, stream_id, sequence) = ($2::smallint, $3::xid8, $4::uuid, $5::int)`;
