// The append in one statement under READ COMMITTED: what is re-checked after a wait, and what is stale.
import { cluster, done, id, pidOf, SCHEMA, show, waiting } from './lib.mjs';

const pgc = await cluster({ max_connections: 50, deadlock_timeout: '100ms' });
const a = await pgc.connect(),
  b = await pgc.connect(),
  w = await pgc.connect();
show('server', (await a.query('show server_version')).rows[0].server_version);
await a.query(SCHEMA);
const reset = async () => {
  await a.query('truncate event, process');
  for (let i = 1; i <= 5; i++) await a.query('insert into process values ($1, 5, 1, null)', [id(i)]);
};
const bp = await pidOf(b);
const K = (i) => `hashtextextended('${id(i)}', 0)`;
/** b runs `sql` while a holds the lock and raises the version of stream 1 from 5 to 6; the rows b got. */
async function race(sql, opt = {}) {
  await reset();
  await a.query('begin');
  await a.query(`select pg_advisory_xact_lock(${K(1)})`);
  await a.query('update process set version = 6 where id = $1', [id(1)]);
  if (opt.begin) await b.query(opt.begin);
  const p = (async () => {
    let r;
    for (const s of [].concat(sql)) r = await b.query(s);
    return r;
  })().catch((e) => ({ rows: [{ error: e.code }] }));
  await waiting(w, bp);
  await a.query('commit');
  const r = await p;
  if (opt.begin) await b.query('commit').catch(() => {});
  return r.rows;
}
console.log('-- 1. snapshot taken before the lock is granted');
show(
  'one statement: lock in a CTE, then SELECT version (5 is stale)',
  await race(
    `with l as materialized (select pg_advisory_xact_lock(${K(1)})) select version from l, process where id = '${id(1)}'`,
  ),
  [{ version: 5 }],
);
show(
  'two statements in one transaction',
  await race([`select pg_advisory_xact_lock(${K(1)})`, `select version from process where id = '${id(1)}'`], {
    begin: 'begin',
  }),
  [{ version: 6 }],
);
show(
  'two statements, REPEATABLE READ (stale)',
  await race([`select pg_advisory_xact_lock(${K(1)})`, `select version from process where id = '${id(1)}'`], {
    begin: 'begin isolation level repeatable read',
  }),
  [{ version: 5 }],
);
for (const [vol, want] of [
  ['volatile', 6],
  ['stable', 5],
]) {
  await a.query(
    `create or replace function v_${vol}() returns int language plpgsql ${vol} as $$ declare v int; begin perform pg_advisory_xact_lock(${K(1)}); select version into v from process where id = '${id(1)}'; return v; end $$`,
  );
  show(`plpgsql function, ${vol}`, await race(`select v_${vol}() as version`), [{ version: want }]);
}
await a.query(
  `create or replace function v_sql() returns int language sql volatile as $$ select pg_advisory_xact_lock(${K(1)}); select version from process where id = '${id(1)}' $$`,
);
show('sql function, volatile', await race('select v_sql() as version'), [{ version: 6 }]);
show(
  'one statement: UPDATE ... WHERE version = 5 (re-checked: no row)',
  await race(
    `with l as materialized (select pg_advisory_xact_lock(${K(1)})) update process set version = 6 from l where id = '${id(1)}' and version = 5 returning version`,
  ),
  [],
);
show(
  'the actual version, asked for in the same statement (stale: says 5)',
  await race(
    `with u as (update process set version = 6 where id = '${id(1)}' and version = 5 returning version) select (select count(*)::int from u) as written, (select version from process where id = '${id(1)}') as actual`,
  ),
  [{ written: 0, actual: 5 }],
);

console.log('-- 2. batch of many streams: one conflicts, the others go through');
const APPEND = `with input as (select * from unnest($1::uuid[], $2::int[], $3::int[], $4::uuid[], $5::text[]) with ordinality as i(stream_id, expected, owner, event_id, type, ord)),
  head as (update process p set version = p.version + 1 from (select stream_id, expected, owner from input) i where p.id = i.stream_id and p.version = i.expected and p.owner = i.owner returning p.id),
  ins as (insert into event (stream_id, sequence, event_id, type) select i.stream_id, i.expected + 1, i.event_id, i.type from input i join head h on h.id = i.stream_id order by i.ord returning stream_id)
  select i.stream_id, exists (select from ins where ins.stream_id = i.stream_id) as ok from input i order by ord`;
const batch = (ids, from, exp = 5, owner = 1) => [
  ids.map(id),
  ids.map(() => exp),
  ids.map(() => owner),
  ids.map((i) => id(from + i)),
  ids.map(() => 't'),
];
await reset();
await a.query('begin');
await a.query(APPEND, batch([2], 100));
let p = b.query(APPEND, batch([1, 2, 3], 200));
await waiting(w, bp);
await a.query('commit');
show(
  'b waited for stream 2, which a took',
  (await p).rows.map((r) => r.ok),
  [true, false, true],
);
show(
  'events',
  (await a.query('select count(*)::int n, count(distinct (stream_id, sequence))::int d from event')).rows[0],
  { n: 3, d: 3 },
);
await reset();
await a.query('begin');
await a.query('update process set owner = 2, version = 6 where id = $1', [id(2)]);
p = b.query(APPEND, batch([1, 2, 3], 200));
await waiting(w, bp);
await a.query('commit');
show(
  'b waited for a takeover of stream 2',
  (await p).rows.map((r) => r.ok),
  [true, false, true],
);
await reset();
show(
  'the same stream twice in one batch (one UPDATE, two rows inserted: the second fails on the key)',
  await b
    .query(
      APPEND,
      batch([1, 1], 300).map((x, k) => (k === 3 ? [id(301), id(302)] : x)),
    )
    .then(
      (r) => r.rows.map((x) => x.ok),
      (e) => e.code,
    ),
  '23505',
);
console.log('-- 3. a check in another table is not re-read after the wait');
await a.query('create table lease (owner int primary key, valid boolean)');
await reset();
await a.query('insert into lease values (1, true)');
await a.query('begin');
await a.query('update lease set valid = false where owner = 1');
await a.query('update process set runnable_at = now() where id = $1', [id(1)]);
p = b.query(
  `update process p set version = version + 1 from lease l where l.owner = p.owner and l.valid and p.id = '${id(1)}' and p.version = 5 returning p.version`,
);
await waiting(w, bp);
await a.query('commit');
show('append of an owner whose lease row was revoked in the same commit (accepted!)', (await p).rows, [{ version: 6 }]);
console.log('-- 4. one bad stream and the batch');
for (const [what, type] of [
  ['a NUL byte', 'x\u0000y'],
  ['a lone surrogate in jsonb', null],
]) {
  await reset();
  const r = type
    ? b.query(
        APPEND,
        batch([1, 2, 3], 400).map((x, k) => (k === 4 ? ['t', type, 't'] : x)),
      )
    : b.query(
        `insert into event (stream_id, sequence, event_id, type, data) values ('${id(9)}', 1, '${id(900)}', 't', '"\\ud800"')`,
      );
  show(
    `${what}: all fail with`,
    await r.then(
      () => 'ok',
      (e) => e.code,
    ),
  );
}
await reset();
await b.query(`insert into event (stream_id, sequence, event_id, type) values ('${id(77)}', 1, '${id(502)}', 't')`);
show(
  'an event id that exists, in one stream of three: all fail with',
  await b.query(APPEND, batch([1, 2, 3], 500)).then(
    () => 'ok',
    (e) => e.code,
  ),
  '23505',
);
show('streams written', (await a.query('select count(*)::int n from process where version = 6')).rows[0].n, 0);
console.log('-- 5. order of position inside one transaction (join without ORDER BY)');
await a.query('truncate event, process');
await a.query(
  "insert into process select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, 0, 1 from generate_series(1, 2000) i",
);
await a.query('analyze process');
for (const [order, plan] of [
  ['', ''],
  ['', 'set enable_mergejoin = off; set enable_nestloop = off'],
  ['order by i.ord', ''],
]) {
  await b.query(`reset all; ${plan}`);
  await a.query('truncate event');
  await a.query('update process set version = 0');
  const s = [],
    q = [],
    e = [];
  for (let i = 1; i <= 2000; i++)
    for (let k = 1; k <= 3; k++) {
      s.push(id(i));
      q.push(k);
      e.push(id(i * 10 + k));
    }
  await b.query(
    `with i as (select * from unnest($1::uuid[], $2::int[], $3::uuid[]) with ordinality as i(stream_id, sequence, event_id, ord)),
    head as (update process p set version = version + 3 from (select distinct stream_id from i) d where p.id = d.stream_id and p.version = 0 returning p.id)
    insert into event (stream_id, sequence, event_id, type) select i.stream_id, i.sequence, i.event_id, 't' from i join head h on h.id = i.stream_id ${order}`,
    [s, q, e],
  );
  show(
    `events whose position is not in stream order, ${order || 'no ORDER BY'}${plan && ', hash join'}`,
    (
      await a.query(
        'select count(*)::int n from (select sequence < lag(sequence) over (partition by stream_id order by position) as x from event) t where x',
      )
    ).rows[0].n,
    order ? 0 : undefined,
  );
}
await b.query('reset all');
console.log('-- 6. new streams: ON CONFLICT');
await reset();
await a.query('begin');
await a.query('insert into process values ($1, 1)', [id(50)]);
p = b.query(
  `with n as (insert into process values ('${id(50)}', 1) on conflict do nothing returning id) select (select count(*)::int from n) created, (select count(*)::int from process where id = '${id(50)}') seen`,
);
await waiting(w, bp);
await a.query('commit');
show(
  'two create the same stream: the second creates none, and in that statement does not see the row either',
  (await p).rows[0],
  { created: 0, seen: 0 },
);
console.log('-- 7. deadlocks: 8 writers, batches of 20 of 40 streams in random order, 3 s');
const ORDERED =
  'with k as materialized (select p.id from process p where p.id = any($1::uuid[]) order by p.id for update) update process p set version = version + 1 from k where p.id = k.id';
async function storm(order, lock, release, rows) {
  const pool = await pgc.pool(8);
  let dead = 0,
    ok = 0;
  const end = Date.now() + 3000;
  await a.query('truncate event, process');
  await a.query(
    "insert into process select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, 0, 1 + i % 8 from generate_series(1, 40) i",
  );
  await Promise.all(
    [...Array(8)].map(async (_, k) => {
      while (Date.now() < end) {
        const c = await pool.connect();
        try {
          const ids = [...Array(40)]
            .map((_, i) => i + 1)
            .sort(() => Math.random() - 0.5)
            .slice(0, 20);
          if (order) ids.sort((x, y) => x - y);
          const s = ids.map(id);
          await c.query('begin');
          if (release && k === 0) {
            const own = 'owner = any($1)';
            await c.query(
              rows
                ? `with k as materialized (select id from process where ${own} order by id for update) update process p set runnable_at = now() from k where p.id = k.id`
                : `update process set runnable_at = now() where ${own}`,
              [[1, 2, 3]],
            );
          } else {
            if (lock)
              await c.query('select pg_advisory_xact_lock(hashtextextended(k, 0)) from unnest($1::text[]) k', [s]);
            await c.query(
              rows
                ? ORDERED
                : 'update process p set version = version + 1 from unnest($1::uuid[]) u(id) where p.id = u.id',
              [s],
            );
          }
          await c.query('commit');
          ok++;
        } catch (e) {
          await c.query('rollback');
          if (e.code === '40P01') dead++;
          else throw e;
        } finally {
          c.release();
        }
      }
    }),
  );
  await pool.end();
  return { ok, dead };
}
show('no locks, random order', await storm(false, false));
show('no locks, sorted array', await storm(true, false));
show('sorted advisory locks', await storm(true, true));
show('sorted advisory locks + a release by "where owner =" without them', await storm(true, true, true));
show(
  'no advisory locks, row locks in order (SELECT ... ORDER BY id FOR UPDATE), release the same way',
  await storm(false, false, true, true),
);
console.log('-- 7b. the ordered row lock and the version check in one statement, after a wait');
const LOCKED = `with i as (select * from unnest($1::uuid[], $2::int[]) i(id, expected)), k as materialized (select p.id from process p where p.id = any($1) order by p.id for update)
  update process p set version = p.version + 1 from i where p.id = i.id and p.version = i.expected and p.owner = 1 and exists (select from k where k.id = p.id) returning p.version`;
await reset();
await a.query('begin');
await a.query('update process set version = 6 where id = $1', [id(2)]);
p = b.query(LOCKED, [[1, 2, 3].map(id), [5, 5, 5]]);
await waiting(w, bp);
await a.query('commit');
show(
  'batch of three, one raised meanwhile: versions written',
  (await p).rows.map((r) => r.version),
  [6, 6],
);
await b.query('rollback').catch(() => {});
console.log('-- 8. how many advisory locks fit (max_locks_per_transaction = 64, max_connections = 50)');
let m = 0;
try {
  for (m = 500; m <= 40000; m += 500) {
    await b.query('begin');
    await b.query('select pg_advisory_xact_lock(i) from generate_series(1, $1::int) i', [m]);
    await b.query('rollback');
  }
} catch (e) {
  show(`one transaction, ${m} locks`, e.code + ' ' + e.message);
}
done();
