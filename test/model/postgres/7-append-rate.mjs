// What the append of design 2 costs beside the bare rows it writes: processes of 10 operators, 22 events, 11 appends each,
// group-committed by one Node process; full durability. Both in turns in one run, so that the ratio holds on a noisy machine.
import { randomUUID } from 'node:crypto';
import { cluster } from './lib.mjs';

const N = +(process.env.N ?? 6000),
  ROUNDS = +(process.env.ROUNDS ?? 3),
  OWNER = randomUUID();
const c = await cluster({ shared_buffers: '512MB', max_wal_size: '4GB' });
const a = await c.connect();
await a.query(`
  create table event (stream_id uuid, sequence int, event_id uuid not null, type text not null, schema_version smallint not null default 1, data jsonb, metadata jsonb,
    recorded_at timestamptz not null default now(), log_incarnation smallint not null default 1, transaction_id xid8 not null default pg_current_xact_id(), primary key (stream_id, sequence));
  create index event_tail on event (log_incarnation, transaction_id, stream_id, sequence);
  create table process (id uuid primary key, version int not null, owner uuid, runnable_at timestamptz, priority smallint not null default 5, claims smallint not null default 0) with (fillfactor = 50);
  create index process_runnable on process (priority desc, runnable_at) where owner is null`);
const append = (
  lock,
  locked,
) => `with s as (select * from unnest($1::uuid[], $2::int[], $3::int[]) s(id, expected, n)), ${lock}
    head as (update process p set version = s.expected + s.n from s where p.id = s.id and p.version = s.expected and p.owner = $9::uuid${locked} returning p.id, s.expected),
    written as (insert into event (stream_id, sequence, event_id, type, data) select e.stream, h.expected + e.k, e.event_id, e.type, e.data
      from head h join unnest($4::uuid[], $5::int[], $6::uuid[], $7::text[], $8::jsonb[]) e(stream, k, event_id, type, data) on e.stream = h.id order by e.stream, e.k)
    select id from head`;
const STATEMENT = {
  'bare rows': `insert into event (stream_id, sequence, event_id, type, data) select e.stream, s.expected + e.k, e.event_id, e.type, e.data
    from unnest($1::uuid[], $2::int[], $3::int[]) s(id, expected, n) join unnest($4::uuid[], $5::int[], $6::uuid[], $7::text[], $8::jsonb[]) e(stream, k, event_id, type, data) on e.stream = s.id where $9::uuid is not null returning stream_id id`,
  'the append': append('', ''),
  'with ordered row locks': append(
    `k as materialized (select p.id from process p where p.id = any($1::uuid[]) order by p.id for update),`,
    ' and exists (select from k where k.id = p.id)',
  ),
};
class Appender {
  constructor(clients, name) {
    this.idle = [...clients];
    this.q = [];
    this.name = name;
    this.commits = 0;
  }
  append(p, events) {
    return new Promise((ok) => {
      this.q.push({ p, events, ok });
      this.kick();
    });
  }
  kick() {
    if (!this.on && this.idle.length) {
      this.on = true;
      setImmediate(() => {
        this.on = false;
        this.flush();
      });
    }
  }
  async flush() {
    if (!this.idle.length || !this.q.length) return;
    const k = this.idle.pop();
    const batch = this.q.splice(0, 500);
    const v = [[], [], [], [], [], [], [], []];
    for (const { p, events } of batch) {
      v[0].push(p.id);
      v[1].push(p.version);
      v[2].push(events.length);
      events.forEach((e, j) => {
        v[3].push(p.id);
        v[4].push(j + 1);
        v[5].push(randomUUID());
        v[6].push(e[0]);
        v[7].push(e[1]);
      });
    }
    const r = await k.query({ name: this.name, text: STATEMENT[this.name], values: [...v, OWNER] });
    this.commits++;
    const written = new Set(r.rows.map((x) => x.id));
    for (const b of batch) {
      if (!written.has(b.p.id)) throw new Error('refused');
      b.p.version += b.events.length;
      b.ok();
    }
    this.idle.push(k);
    if (this.q.length) this.kick();
  }
}
async function drive(app, p) {
  await app.append(p, [['OperatorStarted', '{"path":"o0","attempt":1,"class":"effect"}']]);
  for (let i = 0; i < 10; i++)
    await app.append(p, [
      ['OperatorCompleted', `{"path":"o${i}","attempt":1,"output":{"i":${i}}}`],
      i < 9
        ? ['OperatorStarted', `{"path":"o${i + 1}","attempt":1,"class":"effect"}`]
        : ['ProcessCompleted', '{"outputs":{}}'],
    ]);
}
async function run(name, lanes, inFlight, n) {
  await a.query('truncate event, process');
  const ps = Array.from({ length: n }, () => ({ id: randomUUID(), version: 1 }));
  await a.query('insert into process (id, version, owner) select id, 1, $2 from unnest($1::uuid[]) id', [
    ps.map((p) => p.id),
    OWNER,
  ]);
  await a.query('checkpoint');
  const ks = await Promise.all(Array.from({ length: lanes }, () => c.connect()));
  const app = new Appender(ks, name);
  let next = 0;
  const t = performance.now(),
    cpu = process.cpuUsage();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < ps.length) await drive(app, ps[next++]);
    }),
  );
  const s = (performance.now() - t) / 1000,
    u = process.cpuUsage(cpu);
  await Promise.all(ks.map((k) => k.end()));
  return { rate: Math.round((n * 10) / s), perCommit: (n * 11) / app.commits, node: (u.user + u.system) / 1000 / n };
}
const median = (x) => [...x].sort((p, q) => p - q)[x.length >> 1];
for (const [lanes, inFlight, n] of [
  [1, 1, 300],
  [1, 100, N],
  [2, 100, N],
  [2, 1000, N],
]) {
  const got = { 'bare rows': [], 'the append': [], 'with ordered row locks': [] };
  for (let r = 0; r < ROUNDS + 1; r++)
    for (const name of Object.keys(got)) {
      const x = await run(name, lanes, inFlight, n);
      if (r) got[name].push(x);
    }
  const m = (name, f) => median(got[name].map((x) => x[f]));
  const share = (name) => (100 * median(got[name].map((x, i) => x.rate / got['bare rows'][i].rate))).toFixed(0);
  console.log(
    `${inFlight} in flight, ${lanes} lane(s): bare rows ${m('bare rows', 'rate')} operators/s; the append ${m('the append', 'rate')} (${share('the append')} %); with ordered row locks ${m('with ordered row locks', 'rate')} (${share('with ordered row locks')} %); ${m('the append', 'perCommit').toFixed(0)} appends per commit, Node CPU ${m('the append', 'node').toFixed(2)} ms per process`,
  );
}
const hot = (await a.query(`select n_tup_hot_upd h, n_tup_upd u from pg_stat_user_tables where relname='process'`))
  .rows[0];
console.log(`HOT ${hot.h} of ${hot.u} head updates`);
process.exit(0);
