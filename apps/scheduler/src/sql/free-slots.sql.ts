/** All slots of processes that have ended. One that was retried since has its slot anew, and keeps it. */
export const freeSlotsOf = /* sql */ `
delete from slot s using process p join event e on e.stream_id = p.id and e.sequence = p.version
where s.stream_id = any($1::uuid[]) and p.id = s.stream_id
  and e.type in ('ProcessCompleted', 'ProcessFailed', 'ProcessCancelled')`;
/**
 * Slots whose process has ended: the end is the last event of its stream. A process that is not there holds nothing.
 * How many were freed, and whether there were any at all.
 */
export const freeLeakedSlots = /* sql */ `
with freed as (delete from slot s using (
  select s2.key, s2.stream_id from slot s2
  left join process p on p.id = s2.stream_id
  left join event e on e.stream_id = p.id and e.sequence = p.version
  where p.id is null or e.type in ('ProcessCompleted', 'ProcessFailed', 'ProcessCancelled')
) over
where s.key = over.key and s.stream_id = over.stream_id
returning s.key)
select (select count(*) from freed)::int as freed, exists (select from slot) as held`;
/** The processes that hold slots of a key, the oldest first. */
export const slotHolders = /* sql */ `
select s.stream_id from slot s
where s.key = $1 and not exists (select from queue q where q.stream_id = s.stream_id)
order by s.taken_at, s.stream_id limit $2`;
/** Under an admission limit: processes that run without a slot (the limit is newer than they are) get one. */
export const seedLimitSlots = /* sql */ `
insert into slot (key, stream_id)
select $1, v.stream_id from process_view v
where v.ended_at is null and v.started_at is not null and v.parent_id is null
on conflict do nothing`;
