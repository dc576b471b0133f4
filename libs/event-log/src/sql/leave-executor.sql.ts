import { writeClusterEvents } from './cluster-events.sql.js';

/** A clean end. $1 the incarnation. */
export const leaveExecutor = /* sql */ `
with gone as (
  update executor set status = 'left', proof = 'left', ended_at = now() where id = $1 and status = 'alive' returning id
)
${writeClusterEvents('gone', 2, 'ExecutorLeft', "'{}'::jsonb")}`;
