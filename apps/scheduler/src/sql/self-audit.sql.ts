/** Open processes after $1 by the list, at most $2. */
const listed = `select stream_id from process_view where ended_at is null and stream_id > $1 order by stream_id limit $2`;
/** Streams of the log after $1, found by their first event: also those that no list and no head knows. */
const ofTheLog = `select stream_id from event where sequence = 1 and stream_id > $1 order by stream_id limit $2`;

/**
 * Of such a part, the open processes that nothing drives on, each with what is missing, in one snapshot; and, in every row
 * (one at least), the last stream of the part and how many it has. $3 ms: how long a lost owner may stand before somebody
 * else takes over.
 */
const lookForStuck = (part: string) => /* sql */ `
with part as (${part}),
looked as (
  select part.stream_id, p.version, p.owner, x.status as owner_status, case
    when p.id is null then 'no-head'
    when e.type is null or exists (select from event n where n.stream_id = p.id and n.sequence = p.version + 1)
      then 'head-differs'
    when p.owner is not null then case when (x.id is null or x.status in ('lost', 'left'))
      and coalesce(x.ended_at, '-infinity') < now() - $3 * interval '1 ms' then 'owner-lost' end
    when p.runnable_at is not null or e.type in ('ProcessCompleted', 'ProcessFailed', 'ProcessCancelled') then null
    when not exists (select from queue q where q.stream_id = p.id)
      and not exists (select from task t where t.stream_id = p.id)
      and not exists (select from incident i where i.stream_id = p.id)
      and not exists (select from receiver r where r.stream_id = p.id)
      and not exists (select from job j where j.stream_id = p.id)
      and not exists (select from child c where c.parent_id = p.id and not c.told) then 'nothing-moves-it'
  end as missing
  from part
  left join process p on p.id = part.stream_id
  left join event e on e.stream_id = p.id and e.sequence = p.version
  left join executor x on x.id = p.owner
)
select looked.*, walked.last, walked.n,
  exists (select from audit_finding f where f.stream_id = looked.stream_id and f.found_at > now() - interval '10 minutes')
    as found_before
from (select max(stream_id::text) as last, count(*)::int as n from part) walked
left join looked on looked.missing is not null`;

export const auditLooks = { listed: lookForStuck(listed), ofTheLog: lookForStuck(ofTheLog) };

export const noteFinding = /* sql */ `
insert into audit_finding (stream_id, kind, detail, repaired_at)
values ($1, $2, $3, case when $4 then clock_timestamp() end)`;
/** The queue place that its last request, or the last retry of it, describes ($3: that event's sequence). */
export const queueAgain = /* sql */ `
insert into queue (stream_id, priority, not_before, enqueued_at, key, key_limit, on_limit)
select e.stream_id, (coalesce(e.data -> 'queue', e.data) ->> 'priority')::smallint, (e.data ->> 'startAt')::timestamptz,
  e.recorded_at, coalesce(e.data #>> '{queue,key}', e.data #>> '{concurrency,key}'),
  coalesce(e.data #>> '{queue,limit}', e.data #>> '{concurrency,limit}')::int,
  case when e.type = 'ProcessRetried' then case when e.data #>> '{queue,key}' is null then null else 'queue' end
    else e.data #>> '{concurrency,onLimit}' end
from event e join process p on p.id = e.stream_id and p.version = $2
where e.stream_id = $1 and e.sequence = $3
on conflict do nothing`;
