// When does a transaction get its id, what follows for the order of the tail, and what holds the tail back.
import { cluster, done, id, pidOf, SCHEMA, show, waiting } from './lib.mjs';

const pgc = await cluster({ max_connections: 50, max_prepared_transactions: 5 });
const a = await pgc.connect(),
  b = await pgc.connect(),
  w = await pgc.connect();
await a.query(SCHEMA);
await a.query(
  'create table inbox (subscriber text, event_id uuid, primary key (subscriber, event_id)); create sequence s; create table other (i int)',
);
const bp = await pidOf(b);
const L = (i) => `select pg_advisory_xact_lock(${i})`;
const seed = async () => {
  await a.query('truncate event, process');
  for (let i = 1; i <= 3; i++) await a.query('insert into process values ($1, 0, null, now())', [id(i)]);
};
await seed();
console.log('-- 1. which statements assign a transaction id');
for (const [what, sql, want] of [
  ['pg_advisory_xact_lock', L(1), false],
  ['select', 'select * from process', false],
  ['savepoint', 'savepoint x', false],
  ['update of no row', 'update process set version = 1 where false', false],
  ['SELECT ... FOR UPDATE SKIP LOCKED of a row', 'select * from process for update skip locked limit 1', true],
  ['insert into inbox', `insert into inbox values ('x', '${id(1)}')`, true],
  [
    'the same again, ON CONFLICT DO NOTHING',
    `insert into inbox values ('x', '${id(1)}') on conflict do nothing`,
    undefined,
  ],
  ['nextval', "select nextval('s')", undefined],
  ['notify (in the transaction)', "select pg_notify('c', 'x')", false],
]) {
  await a.query('begin');
  await a.query(sql);
  show(what, (await a.query('select pg_current_xact_id_if_assigned() is not null x')).rows[0].x, want);
  await a.query('commit');
}
console.log('-- 2. one statement that locks and writes: is the id assigned while it waits for the lock?');
const xidWhileWaiting = async (sql) => {
  await a.query('begin');
  await a.query(L(7));
  const p = b.query(sql);
  await waiting(w, bp);
  const x = (await w.query('select backend_xid is not null x from pg_stat_activity where pid = $1', [bp])).rows[0].x;
  await a.query('commit');
  await p;
  return x;
};
show(
  'with l as materialized (select lock) insert ... from l',
  await xidWhileWaiting(`with l as materialized (select pg_advisory_xact_lock(7)) insert into other select 1 from l`),
  false,
);
show(
  'with an inbox insert in the same statement',
  await xidWhileWaiting(
    `with i as (insert into inbox values ('y', '${id(2)}') on conflict do nothing returning 1), l as materialized (select pg_advisory_xact_lock(7) from i) insert into other select 1 from l`,
  ),
  true,
);
await a.query(
  `create function ap() returns void language plpgsql as $$ begin perform pg_advisory_xact_lock(7); insert into other values (1); end $$`,
);
show('plpgsql function: lock, then insert', await xidWhileWaiting('select ap()'), false);
show(
  'insert with a default that needs the id, fed by the lock',
  await xidWhileWaiting(
    `insert into event (stream_id, sequence, event_id, type) select '${id(90)}', 1, '${id(90)}', 't' from (select pg_advisory_xact_lock(7)) l`,
  ),
  false,
);
console.log('-- 3. a transaction that has an id before it locks turns the tail over');
const tail = async () =>
  (
    await w.query(
      'select stream_id, sequence::int q, type from event where transaction_id < pg_snapshot_xmin(pg_current_snapshot()) order by transaction_id, position',
    )
  ).rows.map((r) => r.type);
async function flip(first) {
  await seed();
  await b.query('begin');
  for (const s of first) await b.query(s); // has its id now
  await a.query('begin');
  await a.query(L(1));
  await a.query(`update process set version = 1 where id = '${id(1)}'`);
  await a.query(
    `insert into event (stream_id, sequence, event_id, type) values ('${id(1)}', 1, gen_random_uuid(), 'first')`,
  );
  await a.query('commit');
  await b.query(L(1));
  const v = (await b.query(`select version from process where id = '${id(1)}'`)).rows[0].version;
  await b.query(`update process set version = version + 1 where id = '${id(1)}'`);
  await b.query(
    `insert into event (stream_id, sequence, event_id, type) values ('${id(1)}', $1, gen_random_uuid(), 'second')`,
    [v + 1],
  );
  await b.query('commit');
  return tail();
}
show('append in order', await flip([]), ['first', 'second']);
show('inbox row first, then append', await flip([`insert into inbox values ('z', gen_random_uuid())`]), [
  'second',
  'first',
]);
show(
  'claim: FOR UPDATE SKIP LOCKED of another row first, then append',
  await flip([`select id from process where id = '${id(2)}' for update skip locked`]),
  ['second', 'first'],
);
console.log('-- 4. claim by row lock against append by advisory lock: deadlock');
await seed();
await a.query("set deadlock_timeout='100ms'");
await b.query("set deadlock_timeout='100ms'");
await a.query('begin');
await a.query(L(1));
await b.query('begin');
await b.query('select id from process for update skip locked');
const r = await Promise.all([
  a.query(`update process set version = 1 where id = '${id(1)}'`).then(
    () => 'ok',
    (e) => e.code,
  ),
  b.query(L(1)).then(
    () => 'ok',
    (e) => e.code,
  ),
]);
show('append (lock, then update) against claim (row lock, then lock)', r.sort(), ['40P01', 'ok']);
await a.query('rollback');
await b.query('rollback');
console.log('-- 5. the guard: refuses to lock streams when the transaction already has an id');
await a.query(`create function lock_streams(k bigint[]) returns void language plpgsql as $$ begin
  if pg_current_xact_id_if_assigned() is not null then raise exception 'streams must be locked before anything is written' using errcode = 'BT001'; end if;
  perform pg_advisory_xact_lock(x) from (select distinct x from unnest(k) x order by x) t; end $$`);
show(
  'first in the transaction',
  await a.query('select lock_streams(array[3,1,2])').then(
    () => 'ok',
    (e) => e.code,
  ),
  'ok',
);
await a.query('begin');
await a.query(`insert into inbox values ('q', gen_random_uuid())`);
show(
  'after an inbox row',
  await a.query('select lock_streams(array[1])').then(
    () => 'ok',
    (e) => e.code,
  ),
  'BT001',
);
await a.query('rollback');
console.log('-- 6. subtransactions: the id in the event is the top one');
await seed();
await a.query('begin');
await a.query('savepoint x');
await a.query(
  `insert into event (stream_id, sequence, event_id, type) values ('${id(1)}', 1, gen_random_uuid(), 'sub')`,
);
show(
  'event in a savepoint',
  (
    await a.query(
      'select e.transaction_id = pg_current_xact_id() top, e.xmin::text <> pg_current_xact_id()::text sub from event e',
    )
  ).rows[0],
  { top: true, sub: true },
);
await a.query('commit');
console.log('-- 7. what holds the tail back');
await a.query('create database elsewhere');
const e = await pgc.connect('elsewhere');
await e.query('create table t (i int)');
const held = async (c, begin, end) => {
  await seed();
  await c.query('begin');
  for (const s of begin) await c.query(s);
  await w.query(
    `insert into event (stream_id, sequence, event_id, type) values ('${id(1)}', 1, gen_random_uuid(), 'x')`,
  );
  const n = (await tail()).length === 0;
  for (const s of end ?? ['rollback']) await c.query(s);
  return n;
};
show('open transaction that only read', await held(b, ['select count(*) from process']), false);
show(
  'the same, repeatable read',
  await held(b, ['set transaction isolation level repeatable read', 'select 1 from process']),
  false,
);
show('open transaction that wrote', await held(b, ['insert into other values (1)']), true);
show('open transaction that only locked a row', await held(b, ['select * from process for update']), true);
show(
  'open transaction that wrote in ANOTHER database of the cluster',
  await held(e, ['insert into t values (1)']),
  true,
);
show(
  'prepared transaction',
  await held(b, ['insert into other values (1)', "prepare transaction 'p'"], ["rollback prepared 'p'"]),
  true,
);
show(
  'create index (its transaction; with it every migration that writes)',
  await held(b, ['create index on other (i)']),
  true,
);
await b.query("set idle_in_transaction_session_timeout = '200ms'");
await b.query('begin');
await b.query('insert into other values (1)');
const t0 = Date.now();
await w.query(`insert into event (stream_id, sequence, event_id, type) values ('${id(2)}', 1, gen_random_uuid(), 'x')`);
while ((await tail()).length === 0) await new Promise((r) => setTimeout(r, 20));
show('idle in transaction: held for ms (timeout 200 ms)', Date.now() - t0 < 1500, true);
console.log(
  '-- 8. a log whose ids come from another cluster (dump and restore, logical replication, a stream moved to another cell)',
);
await seed();
await a.query('begin');
const now = BigInt((await a.query('select pg_current_xact_id()::text x')).rows[0].x);
await a.query('rollback');
await a.query(
  `insert into event (stream_id, sequence, event_id, type, transaction_id) values ('${id(1)}', 1, gen_random_uuid(), 'old 1', $1::text::xid8), ('${id(1)}', 2, gen_random_uuid(), 'old 2', $2::text::xid8)`,
  [String(now + 1000000n), String(now + 1000001n)],
);
await a.query(
  `insert into event (stream_id, sequence, event_id, type) values ('${id(1)}', 3, gen_random_uuid(), 'new')`,
);
for (let i = 0; i < 100 && (await tail()).length === 0; i++) await new Promise((r) => setTimeout(r, 50)); // an autovacuum that analyses has an id, too
show('the tail from the start: the old ones are "not settled", the new one comes first', await tail(), ['new']);
const cp = String(now + 1000001n);
show(
  'a subscriber that had read the old ones never sees the new one',
  (
    await w.query(
      `select type from event where transaction_id > $1::text::xid8 and transaction_id < pg_snapshot_xmin(pg_current_snapshot())`,
      [cp],
    )
  ).rows.map((x) => x.type),
  [],
);
done();
