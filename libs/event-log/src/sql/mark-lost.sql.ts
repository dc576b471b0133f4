import { writeClusterEvents } from './cluster-events.sql.js';

/** Marks as lost what did not move since it was judged. $1 ids, $2 the heartbeats that were seen, $3 proofs or null. */
export const markLost = /* sql */ `
with lost as (
  update executor x set status = 'lost', proof = j.proof, ended_at = now()
  from unnest($1::text[], $2::text[], $3::text[]) j(id, heartbeat_at, proof)
  where x.id = j.id and x.status = 'alive' and x.heartbeat_at = j.heartbeat_at::timestamptz
  returning x.id, x.proof
),
told as (${writeClusterEvents('lost', 2, 'ExecutorLost', "jsonb_build_object('proof', lost.proof)")})
select id, proof from lost`;
