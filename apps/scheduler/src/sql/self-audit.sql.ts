/**
 * Open processes after $1, each with what keeps it going, in one snapshot. What has one of them is left out; $3 ms: how
 * long a lost owner may stand before somebody else takes over. $4: the last id looked at comes back in every row.
 */
export const lookForStuck = /* sql */ `
with part as (
  select stream_id from process_view where ended_at is null and stream_id > $1 order by stream_id limit $2
)
select part.stream_id, p.version, p.owner, x.status as owner_status,
  exists (select from audit_finding f where f.stream_id = part.stream_id and f.found_at > now() - interval '10 minutes')
    as found_before
from part
left join process p on p.id = part.stream_id
left join executor x on x.id = p.owner
where case
  when p.id is null then true
  when p.owner is not null then (x.id is null or x.status in ('lost', 'left'))
    and coalesce(x.ended_at, '-infinity') < now() - $3 * interval '1 ms'
  when p.runnable_at is not null then false
  else not exists (select from event e where e.stream_id = p.id and e.sequence = p.version
      and e.type in ('ProcessCompleted', 'ProcessFailed', 'ProcessCancelled'))
    and not exists (select from queue q where q.stream_id = p.id)
    and not exists (select from task t where t.stream_id = p.id)
    and not exists (select from incident i where i.stream_id = p.id)
    and not exists (select from receiver r where r.stream_id = p.id)
    and not exists (select from job j where j.stream_id = p.id)
    and not exists (select from child c where c.parent_id = p.id and not c.told)
end`;
export const lastOfPart = /* sql */ `
select max(stream_id::text) as last, count(*)::int as n from (
  select stream_id from process_view where ended_at is null and stream_id > $1 order by stream_id limit $2
) part`;
export const noteFinding = /* sql */ `
insert into audit_finding (stream_id, kind, detail, repaired_at)
values ($1, $2, $3, case when $4 then now() end)`;
/** The queue place that its request describes. */
export const queueAgain = /* sql */ `
insert into queue (stream_id, priority, not_before, enqueued_at, key, key_limit, on_limit)
select e.stream_id, (e.data ->> 'priority')::smallint, (e.data ->> 'startAt')::timestamptz, e.recorded_at,
  e.data #>> '{concurrency,key}', (e.data #>> '{concurrency,limit}')::int, e.data #>> '{concurrency,onLimit}'
from event e join process p on p.id = e.stream_id and p.version = $2
where e.stream_id = $1 and e.sequence = 1 and e.type = 'ProcessRequested'
on conflict do nothing`;
