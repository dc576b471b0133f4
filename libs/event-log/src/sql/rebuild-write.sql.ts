/** $1 ids, $2 versions, $3 owners, $4 runnable, $5 priorities, $6 claims. No append: the versions are those of the log. */
export const rebuildHeads = /* sql */ `
update process p set version = r.version, owner = r.owner, runnable_at = r.runnable_at, priority = r.priority,
  claims = least(32767, r.claims)
from unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[], $5::smallint[], $6::int[])
  r(id, version, owner, runnable_at, priority, claims)
where p.id = r.id and (p.version, p.owner, p.runnable_at, p.priority, p.claims)
  is distinct from (r.version, r.owner, r.runnable_at, r.priority, least(32767, r.claims)::smallint)`;

/** One statement each: a delete and an insert of the same key in one statement do not see each other. */
export const rebuildDeletes: readonly string[] = [
  'delete from queue where stream_id = any($1)',
  'delete from child where stream_id = any($1)',
  'delete from task where stream_id = any($1)',
  'delete from incident where stream_id = any($1)',
  'delete from receiver where stream_id = any($1)',
  'delete from job where stream_id = any($1)',
  'delete from process_view where stream_id = any($1)',
];

/** $1 all rows as JSON by table. */
export const rebuildInserts: readonly string[] = [
  `insert into queue select * from jsonb_populate_recordset(null::queue, $1::jsonb -> 'queue')`,
  `insert into child select * from jsonb_populate_recordset(null::child, $1::jsonb -> 'child')`,
  `insert into task select * from jsonb_populate_recordset(null::task, $1::jsonb -> 'task')`,
  `insert into incident select * from jsonb_populate_recordset(null::incident, $1::jsonb -> 'incident')`,
  `insert into receiver select * from jsonb_populate_recordset(null::receiver, $1::jsonb -> 'receiver')`,
  `insert into job select r.stream_id, r.id, r.path, r.attempt, r.queue, r.opened_at, coalesce(r.detail, 'null')
    from jsonb_populate_recordset(null::job, $1::jsonb -> 'job') r`,
];

/** Told: the parent's stream holds the end of this child. */
export const rebuildTold = /* sql */ `
update child c set told = true
where c.stream_id = any($1) and exists (
  select from event e
  where e.stream_id = c.parent_id and e.type = 'ChildEnded' and e.data ->> 'child' = $2 || '-' || c.stream_id::text
)`;
