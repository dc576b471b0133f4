/** Slots of processes whose last event is an end. A process that was reopened stands in the queue or has gone on. */
export const freeLeakedSlots = /* sql */ `
delete from slot s using (
  select s.key, s.stream_id
  from slot s
  join process p on p.id = s.stream_id
  join event e on e.stream_id = p.id and e.sequence = p.version
  where e.type in ('ProcessCompleted', 'ProcessFailed', 'ProcessCancelled')
  limit $1
) l
where s.key = l.key and s.stream_id = l.stream_id
returning s.key`;
