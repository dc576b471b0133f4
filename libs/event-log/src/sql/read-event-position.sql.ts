/** Where in the tail an event stands. */
export const readEventPosition = /* sql */ `
select log_incarnation, transaction_id::text as transaction_id
from event where stream_id = $1::uuid and sequence = $2::int`;
