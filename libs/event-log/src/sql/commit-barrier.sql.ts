/** Commits something of no meaning: waits for the replicas that a commit must wait for, as a read does not. */
export const commitBarrier = /* sql */ `select pg_logical_emit_message(true, 'barrier', '')`;
