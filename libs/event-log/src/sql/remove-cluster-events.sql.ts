/**
 * Servers that are gone for longer than $1 days, $2 of them at most, with all their events: a server's events are written
 * once each, by what its row becomes, so none comes back. What a subscriber has not passed yet stays, however old.
 */
export const removeClusterEvents = /* sql */ `
delete from cluster_event where stream_id in (
  select e.stream_id from cluster_event e
  where e.recorded_at < now() - $1 * interval '1 day' and e.type in ('ExecutorLeft', 'ExecutorLost')
    and not exists (select from checkpoint c where c.subscriber like '%/cluster'
      and (c.log_incarnation, c.transaction_id, c.stream_id, c.sequence)
        < (e.log_incarnation, e.transaction_id, e.stream_id, e.sequence))
  order by e.recorded_at limit $2)`;
