/**
 * Writes events of the cluster in the statement that makes them true. An incarnation joins once (1) and ends once (2):
 * what is repeated finds its row and writes nothing, so each has one id.
 */
export const writeClusterEvents = (source: string, sequence: 1 | 2, type: string, data: string) => /* sql */ `
insert into cluster_event (stream_id, sequence, type, data, log_incarnation)
select md5('baton executor ' || ${source}.id)::uuid, ${sequence}, '${type}',
  jsonb_build_object('node', ${source}.id) || ${data}, (select max(number) from log_incarnation)
from ${source} on conflict do nothing`;
