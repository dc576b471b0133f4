export const createCheckpoint = /* sql */ `
insert into checkpoint (subscriber, log_incarnation, transaction_id, stream_id, sequence)
values ($1, $2, $3::xid8, $4, $5) on conflict do nothing`;
