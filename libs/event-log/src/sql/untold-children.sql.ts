/** Children whose last event is an end and whose parent was not told. */
export const untoldChildren = /* sql */ `
select c.stream_id, c.parent_id, c.path, c.attempt, e.type, e.data
from child c
join process p on p.id = c.stream_id
join event e on e.stream_id = p.id and e.sequence = p.version
where not c.told and e.type in ('ProcessCompleted', 'ProcessFailed', 'ProcessCancelled')
limit $1`;
