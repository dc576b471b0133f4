/**
 * The append, in one statement: version and owner are checked by the UPDATE that raises the version, and only streams
 * whose head was written get their events. Everything that may conflict stands in the head row, because only the row
 * that is updated is read again after a wait. `x in (select …) is true` keeps the planner on a hashed subplan.
 *
 * $1 id, $2 expected (0: new), $3 count, $4 any owner, $5 owner;
 * $6 stream, $7 sequence, $8 event id, $9 type, $10 schema version, $11 data, $12 metadata.
 */
const events = /* sql */ `
written as (
  insert into event (stream_id, sequence, event_id, type, schema_version, data, metadata, log_incarnation)
  select e.stream, e.sequence, e.event_id, e.type, e.schema_version, e.data, e.metadata,
    (select max(number) from log_incarnation)
  from unnest($6::uuid[], $7::int[], $8::uuid[], $9::text[], $10::smallint[], $11::jsonb[], $12::jsonb[])
    e(stream, sequence, event_id, type, schema_version, data, metadata)
  where (e.stream in (select id from head)) is true
)`;

/** The streams that were written, in one row: one for each, with its time, was most of the 7 % that an executor spent on reading. */
const answer = /* sql */ `select string_agg(id::text, ',') as ids, now() as recorded_at from head`;

/**
 * Nothing but versions change, and claim counts that an outcome sets back ($13): what a driven process needs at every
 * boundary. No indexed column is touched, so the update stays in its page (HOT).
 */
export const appendVersionsOnly = /* sql */ `
with s as (
  select * from unnest($1::uuid[], $2::int[], $3::int[], $4::bool[], $5::text[], $13::bool[])
    s(id, expected, n, any_owner, owner, resets)
),
head as (
  update process p set version = s.expected + s.n, claims = case when s.resets then 0 else p.claims end from s
  where p.id = s.id and p.version = s.expected and (s.any_owner or p.owner is not distinct from s.owner)
  returning p.id
),${events}
${answer}`;

/**
 * $13 sets owner, $14 owner; $15 runnable: 0 as it was, 1 null, 2 now, 3 at $16; $17 priority or null;
 * $18 resets claims, $19 adds to claims.
 */
const heads = /* sql */ `
with s as (
  select * from unnest($1::uuid[], $2::int[], $3::int[], $4::bool[], $5::text[],
    $13::bool[], $14::text[], $15::smallint[], $16::timestamptz[], $17::smallint[], $18::bool[], $19::int[])
    s(id, expected, n, any_owner, owner, sets_owner, new_owner, runnable, runnable_at, priority, resets, adds)
),
changed as (
  update process p set
    version = s.expected + s.n,
    owner = case when s.sets_owner then s.new_owner else p.owner end,
    runnable_at = case s.runnable when 0 then p.runnable_at when 1 then null when 2 then now() else s.runnable_at end,
    priority = coalesce(s.priority, p.priority),
    claims = least(32767, case when s.resets then 0 else p.claims end + s.adds)
  from s
  where p.id = s.id and s.expected > 0 and p.version = s.expected
    and (s.any_owner or p.owner is not distinct from s.owner)
  returning p.id
),`;
const create = /* sql */ `
created as (
  insert into process (id, version, owner, runnable_at, priority, claims)
  select s.id, s.n, s.new_owner, case s.runnable when 2 then now() when 3 then s.runnable_at end,
    coalesce(s.priority, 5), least(32767, s.adds)
  from s where s.expected = 0
  on conflict do nothing
  returning id
),`;

/** $20 queue and child rows, as JSON: {queue: [...], unqueue: [stream], children: [...]}. */
const admission = /* sql */ `,
queued as (
  insert into queue (stream_id, priority, not_before, key, key_limit, on_limit)
  select r.stream, r.priority, r.not_before, r.key, r.key_limit, r.on_limit
  from jsonb_to_recordset($20::jsonb -> 'queue')
    r(stream uuid, priority smallint, not_before timestamptz, key text, key_limit int, on_limit text)
  where (r.stream in (select id from head)) is true
  on conflict (stream_id) do update set priority = excluded.priority, not_before = excluded.not_before,
    enqueued_at = excluded.enqueued_at, key = excluded.key, key_limit = excluded.key_limit, on_limit = excluded.on_limit
),
unqueued as (
  delete from queue q using jsonb_array_elements_text($20::jsonb -> 'unqueue') r(stream)
  where q.stream_id = r.stream::uuid and (r.stream::uuid in (select id from head)) is true
),
children as (
  insert into child (stream_id, parent_id, path, attempt)
  select r.stream, r.parent, r.path, r.attempt
  from jsonb_to_recordset($20::jsonb -> 'children') r(stream uuid, parent uuid, path text, attempt int)
  where (r.stream in (select id from head)) is true
  on conflict (stream_id) do nothing
)`;

/**
 * What goes by its path is found by an equality, apart from what goes by its id or with all of its table: joined by one
 * condition for all three, each of them was compared with each row of its process (100 of 1,000: 45 ms instead of 4).
 */
const goneFrom = (table: string, key: 'id' | 'path') => {
  const goes = `delete from ${table} t using gone g where g."table" = '${table}' and t.stream_id = g.stream`;
  const byId = key === 'id' ? 'and (g.id is null or t.id = g.id) ' : '';
  return /* sql */ `${table}_gone_by_path as (
  ${goes} and t.path = g.path ${byId}and t.${key} <> all (g.keep)
),
${table}_gone as (
  ${goes} and g.path is null ${byId}and t.${key} <> all (g.keep)
)`;
};

/**
 * $21 rows of what a process waits for, as JSON. Changes of one append are netted before: a row is written or deleted,
 * never both, because the parts of one statement do not see each other's rows.
 */
const waits = /* sql */ `,
gone as (
  select * from jsonb_to_recordset($21::jsonb -> 'gone') r("table" text, stream uuid, id text, path text, keep text[])
  where (r.stream in (select id from head)) is true
),
${goneFrom('task', 'id')},
${goneFrom('incident', 'id')},
${goneFrom('receiver', 'path')},
${goneFrom('job', 'id')},
tasks as (
  insert into task (stream_id, id, path, attempt, due_at, detail)
  select r.stream, r.id, r.path, r.attempt, r.due_at, coalesce(r.detail, 'null')
  from jsonb_to_recordset($21::jsonb -> 'task')
    r(stream uuid, id text, path text, attempt int, due_at timestamptz, detail jsonb)
  where (r.stream in (select id from head)) is true
  on conflict (stream_id, id) do update set path = excluded.path, attempt = excluded.attempt,
    due_at = excluded.due_at, opened_at = excluded.opened_at, detail = excluded.detail
),
tasks_changed as (
  update task t set detail = t.detail || r.detail
  from jsonb_to_recordset($21::jsonb -> 'taskChange') r(stream uuid, id text, detail jsonb)
  where t.stream_id = r.stream and t.id = r.id and (r.stream in (select id from head)) is true
    -- One statement changes a row once: what is deleted by it must not be updated by it, or it stays.
    and not exists (select from gone g where g."table" = 'task' and g.stream = t.stream_id
      and (g.id is null or t.id = g.id) and (g.path is null or t.path = g.path))
),
incidents as (
  insert into incident (stream_id, id, path, kind, detail)
  select r.stream, r.id, r.path, r.kind, coalesce(r.detail, 'null')
  from jsonb_to_recordset($21::jsonb -> 'incident') r(stream uuid, id text, path text, kind text, detail jsonb)
  where (r.stream in (select id from head)) is true
  on conflict (stream_id, id) do update set path = excluded.path, kind = excluded.kind,
    opened_at = excluded.opened_at, detail = excluded.detail
),
receivers as (
  insert into receiver (stream_id, path, attempt, name, key, keep_ms, topic, conditions)
  select r.stream, r.path, r.attempt, r.name, r.key, r.keep_ms, r.topic, r.conditions
  from jsonb_to_recordset($21::jsonb -> 'receiver')
    r(stream uuid, path text, attempt int, name text, key text, keep_ms bigint, topic text, conditions jsonb)
  where (r.stream in (select id from head)) is true
  on conflict (stream_id, path) do update set attempt = excluded.attempt, name = excluded.name, key = excluded.key,
    keep_ms = excluded.keep_ms, topic = excluded.topic, conditions = excluded.conditions,
    opened_at = excluded.opened_at
),
jobs as (
  insert into job (stream_id, id, path, attempt, queue, detail)
  select r.stream, r.id, r.path, r.attempt, r.queue, coalesce(r.detail, 'null')
  from jsonb_to_recordset($21::jsonb -> 'job')
    r(stream uuid, id text, path text, attempt int, queue text, detail jsonb)
  where (r.stream in (select id from head)) is true
  on conflict (stream_id, id) do update set path = excluded.path, attempt = excluded.attempt,
    queue = excluded.queue, opened_at = excluded.opened_at, detail = excluded.detail
)`;

/**
 * What nearly every batch of a busy executor holds beside plain boundaries: processes that end ($21), and ($20) those that
 * leave the queue. Nothing is written beside the heads, so no JSON is taken apart and no row is matched against another:
 * on the server a batch costs a quarter less than by the general form.
 *
 * The ids go to the indexes as one array. As a join the plan hung on the statistics: with those of an empty queue it went
 * through the queue and, for each row, through all heads of the batch (158 ms a batch with 1,000 queued).
 */
const written = (ids: string): string => /* sql */ `
  select array_agg(u.id) as ids from unnest(${ids}::uuid[]) u(id) where (u.id in (select id from head)) is true`;
const unqueued = /* sql */ `,
leaving as materialized (${written('$20')}),
left_queue as (delete from queue where stream_id = any((select ids from leaving)::uuid[]))`;
const ended = /* sql */ `,
ended as materialized (${written('$21')}),
tasks_ended as (delete from task where stream_id = any((select ids from ended)::uuid[])),
incidents_ended as (delete from incident where stream_id = any((select ids from ended)::uuid[])),
receivers_ended as (delete from receiver where stream_id = any((select ids from ended)::uuid[])),
jobs_ended as (delete from job where stream_id = any((select ids from ended)::uuid[]))`;

export function appendWithEnds(parts: { ends: boolean }): string {
  return `${heads}
head as (select id from changed),${events}${unqueued}${parts.ends ? ended : ''}
${answer}`;
}

/** The general form: columns of the head, new streams, and rows beside the head in the parts that a batch needs. */
export function appendWithChanges(parts: { admission: boolean; waits: boolean }): string {
  const renumbered = parts.admission ? waits : waits.replaceAll('$21', '$20');
  return `${heads}${create}
head as (select id from changed union all select id from created),${events}${parts.admission ? admission : ''}${parts.waits ? renumbered : ''}
${answer}`;
}
