/** Whether the two looks below can find anything: with many heads and no child, only planning them takes 40 ms. */
export const anyUntoldChild = /* sql */ `select exists (select from child where not told) as any`;

/** Children that have ended and whose parents were not yet told: the end is the last event of the child's stream. */
export const untoldChildren = /* sql */ `
select c.stream_id, c.parent_id, c.path, c.attempt, e.type, e.data
from child c
join process p on p.id = c.stream_id and p.owner is null and p.runnable_at is null
join event e on e.stream_id = p.id and e.sequence = p.version
where not c.told and c.stream_id > $1
  and e.type in ('ProcessCompleted', 'ProcessFailed', 'ProcessCancelled')
order by c.stream_id limit $2`;

export const markTold = /* sql */ `update child set told = true where stream_id = any($1::uuid[]) and not told`;

/** Children that still go on although their parent, which wanted them cancelled with it, has ended. */
export const orphanedChildren = /* sql */ `
select c.stream_id, c.parent_id
from child c
join process up on up.id = c.parent_id and up.owner is null and up.runnable_at is null
join event last on last.stream_id = up.id and last.sequence = up.version
  and last.type in ('ProcessCompleted', 'ProcessFailed', 'ProcessCancelled')
join event first on first.stream_id = c.stream_id and first.sequence = 1
  and first.data -> 'parent' ->> 'onParentEnd' = 'cancel'
join process p on p.id = c.stream_id
join event e on e.stream_id = p.id and e.sequence = p.version
  and e.type not in ('ProcessCompleted', 'ProcessFailed', 'ProcessCancelled')
where not c.told and c.stream_id > $1
  and not exists (select from event x where x.stream_id = c.stream_id and x.type = 'ProcessCancelRequested')
order by c.stream_id limit $2`;
