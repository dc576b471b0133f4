// Replication: what a commit is worth, when it is visible without being replicated, what a barrier buys, how a failover is seen.
import { cluster, done, id, SCHEMA, show, sleep } from './lib.mjs';

const TAIL = 'select count(*)::int n from event where transaction_id < pg_snapshot_xmin(pg_current_snapshot())';
const put = (c, i) =>
  c.query("insert into event (stream_id, sequence, event_id, type) values ($1, 1, gen_random_uuid(), 't')", [id(i)]);
const count = async (c) => (await c.query('select count(*)::int n from event')).rows[0].n;
async function up(names) {
  const p = await cluster({ wal_level: 'replica', max_wal_senders: 5, wal_keep_size: '256MB' });
  let c = await p.connect();
  await c.query(SCHEMA);
  await c.query('create role service login');
  await c.query('grant select, insert on event to service');
  await c.end();
  p.stop();
  const { execFileSync } = await import('node:child_process');
  execFileSync('cp', ['-a', p.dir, p.dir + '.copy']);
  p.start();
  const s = await cluster(
    { hot_standby: 'on', primary_conninfo: `host=127.0.0.1 port=${p.port} user=postgres application_name=s1` },
    { dir: p.dir + '.copy' },
  );
  c = await p.connect();
  for (
    let i = 0;
    i < 100 && (await c.query("select 1 from pg_stat_replication where state = 'streaming'")).rowCount === 0;
    i++
  )
    await sleep(50);
  if (names) {
    await c.query(`alter system set synchronous_standby_names = '${names}'`);
    await c.query('select pg_reload_conf()');
    await sleep(300);
  }
  return { p, s, c };
}
console.log('-- 1. asynchronous: acknowledged, published, lost');
{
  const { p, s, c } = await up();
  const r = await s.connect();
  await put(c, 1);
  await sleep(300);
  await r.query('select pg_wal_replay_pause()').catch(() => {});
  s.stop('immediate'); // the replica lags (here: for ever)
  for (let i = 2; i <= 101; i++) await put(c, i);
  show('acknowledged and read by the tail on the primary', (await c.query(TAIL)).rows[0].n, 101);
  const sysid = (await c.query('select system_identifier::text x from pg_control_system()')).rows[0].x,
    tl = (await c.query('select timeline_id t from pg_control_checkpoint()')).rows[0].t;
  const xid = (await c.query('select pg_current_xact_id()::text x')).rows[0].x;
  p.stop('immediate');
  s.start();
  await sleep(200);
  s.promote();
  const n = await s.connect();
  const wal = async (k) => (await k.query('select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) t')).rows[0].t;
  show('timeline at once after the promotion: by pg_walfile_name, by pg_control_checkpoint', [
    await wal(n),
    (await n.query('select timeline_id t from pg_control_checkpoint()')).rows[0].t,
  ]);
  show('in the log after promoting the replica', await count(n), 1);
  for (
    let i = 0;
    i < 50 && (await n.query('select timeline_id t from pg_control_checkpoint()')).rows[0].t === tl;
    i++
  ) {
    await n.query('checkpoint');
    await sleep(100);
  }
  show(
    'system identifier is the same',
    (await n.query('select system_identifier::text x from pg_control_system()')).rows[0].x === sysid,
    true,
  );
  show(
    'timeline before, after',
    [tl, (await n.query('select timeline_id t from pg_control_checkpoint()')).rows[0].t],
    [1, 2],
  );
  const x2 = (await n.query('select pg_current_xact_id()::text x')).rows[0].x;
  show('transaction ids are given out again (after < before)', BigInt(x2) < BigInt(xid), true);
  const k = new (await import('pg')).default.Client({ connectionString: s.url().replace('postgres@', 'service@') });
  await k.connect();
  show(
    'an ordinary role may read both, and pg_is_in_recovery',
    await k
      .query(
        'select c.timeline_id, s.system_identifier, pg_is_in_recovery(), pg_walfile_name(pg_current_wal_lsn()) from pg_control_checkpoint() c, pg_control_system() s',
      )
      .then(
        () => 'yes',
        (e) => e.message,
      ),
  );
  await k.end();
  s.stop('immediate');
}
console.log('-- 2. synchronous (ANY 1), replica gone: the commit waits');
{
  const { p, s, c } = await up('ANY 1 (s1)');
  const w = await p.connect();
  const pid = (await c.query('select pg_backend_pid() p')).rows[0].p;
  await put(c, 1);
  show('with the replica there', await count(w), 1);
  s.stop('immediate');
  const notices = [];
  c.on('notice', (n) => notices.push([n.code, n.message]));
  let st = 'waits';
  const q = put(c, 2).then(
    (r) => {
      st = r.command;
    },
    (e) => {
      st = e.code;
    },
  );
  await sleep(500);
  show('the insert', st, 'waits');
  show('seen by others meanwhile', await count(w), 1);
  show('seen by the tail meanwhile', (await w.query(TAIL)).rows[0].n, 1);
  await w.query("set statement_timeout = '300ms'");
  let st2 = 'waits';
  w.query("insert into event (stream_id, sequence, event_id, type) values ($1, 1, gen_random_uuid(), 't')", [
    id(3),
  ]).then(
    (r) => {
      st2 = r.command;
    },
    (e) => {
      st2 = e.code;
    },
  );
  await sleep(1200);
  show('does statement_timeout (300 ms) end the wait?', st2, 'waits');
  const v = await p.connect();
  await v.query('select pg_cancel_backend($1)', [pid]);
  await q;
  show('after pg_cancel_backend the statement ends with', st, 'INSERT');
  show('and a notice', notices[0]);
  show('others see it now, on one machine only', await count(v), 2);
  show('so does the tail (w still waits, and its id holds the tail back)', (await v.query(TAIL)).rows[0].n);
  await c.query('begin');
  await put(c, 4);
  let ct;
  const q3 = c.query('commit').then((r) => {
    ct = r.command;
  });
  await sleep(200);
  await v.query('select pg_cancel_backend($1)', [pid]);
  await q3;
  show('COMMIT, cancelled while it waits, answers the tag', ct, 'COMMIT');
  show(
    'notices',
    notices.map((n) => n[0]),
  );
  console.log('-- 3. the primary restarts while a commit waits');
  put(c, 5).catch(() => {});
  await sleep(200);
  p.stop('immediate');
  p.start();
  const z = await p.connect();
  show('visible after the restart, replicated nowhere', await count(z), 5);
  show('read by the tail', (await z.query(TAIL)).rows[0].n, 5);
  let bar = 'waits';
  z.query("select pg_logical_emit_message(true, 'barrier', '')").then(
    () => {
      bar = 'through';
    },
    (e) => {
      bar = e.code;
    },
  );
  await sleep(500);
  show('a barrier (a transaction that writes and commits) on top of a lookup', bar, 'waits');
  let ro = 'waits';
  const y = await p.connect();
  y.query('select count(*) from event').then(() => {
    ro = 'through';
  });
  await sleep(300);
  show('a lookup alone', ro, 'through');
  s.start();
  await sleep(1500);
  show('the barrier, when the replica is back', bar, 'through');
  const r = await s.connect();
  show('events on the replica then', await count(r), 5);
  console.log('-- 4. the tail read on a replica');
  await z.query('begin').catch(() => {});
  const o = await p.connect();
  await o.query('begin');
  await put(o, 20);
  await put(v.ended ? y : y, 21);
  await sleep(400);
  show(
    'committed after an open transaction began: on the primary, on the replica (neither reads it)',
    [(await y.query(TAIL)).rows[0].n, (await r.query(TAIL)).rows[0].n],
    [5, 5],
  );
  await o.query('commit');
  await sleep(400);
  show('after it: primary, replica', [(await y.query(TAIL)).rows[0].n, (await r.query(TAIL)).rows[0].n], [7, 7]);
}
done();
