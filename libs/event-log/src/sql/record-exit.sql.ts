import { writeClusterEvents } from './cluster-events.sql.js';

/** Its supervisor saw it end. $1 the incarnation, $2 how, $3 and $4 the hint to its peers. */
export const recordExit = /* sql */ `
with gone as (
  update executor set status = case when status = 'left' then 'left' else 'lost' end, proof = 'exit', exit = $2,
    ended_at = coalesce(ended_at, now()) where id = $1 returning id, status
),
lost as (select id from gone where status = 'lost'),
told as (${writeClusterEvents('lost', 2, 'ExecutorLost', `'{"proof":"exit"}'::jsonb`)})
select pg_notify($3, $4) from gone`;
