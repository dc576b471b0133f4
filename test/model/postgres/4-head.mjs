// The head table under appends: which layouts stay HOT, what they weigh after UPDATES (default 120000) in batches of 500, 2 connections.
import { cluster, done, show, sleep } from './lib.mjs';

const UPDATES = +(process.env.UPDATES ?? 120000),
  N = 20000,
  B = 500;
const pgc = await cluster({ shared_buffers: '512MB', max_wal_size: '4GB', autovacuum_naptime: '5s' });
const c = await pgc.connect();
const variants = [
  [
    'A  lease in the head: runnable_at set by every append, index (runnable_at)',
    100,
    ['(runnable_at)'],
    "version = p.version + 1, runnable_at = clock_timestamp() + interval '3 s'",
  ],
  [
    'B  version only; index (priority, runnable_at) where owner is null; fillfactor 100',
    100,
    ['(priority, runnable_at) where owner is null'],
    'version = p.version + 1',
  ],
  ['C  as B, fillfactor 50', 50, ['(priority, runnable_at) where owner is null'], 'version = p.version + 1'],
  [
    'D  as C, and runnable_at = null written again (same value)',
    50,
    ['(priority, runnable_at) where owner is null'],
    'version = p.version + 1, runnable_at = null',
  ],
  [
    'E  as C, and updated_at indexed for lists',
    50,
    ['(priority, runnable_at) where owner is null', '(updated_at)'],
    'version = p.version + 1, updated_at = clock_timestamp()',
  ],
  [
    'F  as C, and a reader holds one snapshot all the time',
    50,
    ['(priority, runnable_at) where owner is null'],
    'version = p.version + 1',
    true,
  ],
  [
    'G  as C, with owner changing each time (claim and park)',
    50,
    ['(priority, runnable_at) where owner is null'],
    'version = p.version + 1, owner = case when p.owner is null then 1 end, runnable_at = case when p.owner is null then null else clock_timestamp() end',
  ],
];
console.log(
  'layout | updates/s | HOT % | heap MiB before -> after | indexes MiB before -> after | WAL bytes per update',
);
for (const [name, ff, idx, set, hold] of variants) {
  await c.query(
    `drop table if exists process; create table process (id uuid primary key, version int not null, owner int, runnable_at timestamptz, priority int not null default 0, status text not null default 'running', updated_at timestamptz default now(), concurrency_key text, name text default 'release-web') with (fillfactor = ${ff}, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0)`,
  );
  for (const i of idx) await c.query(`create index on process ${i}`);
  await c.query(
    `insert into process (id, version, owner) select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, 0, 1 from generate_series(1, ${N}) i`,
  );
  await c.query('vacuum analyze process');
  await c.query('checkpoint');
  await c.query('select pg_stat_reset()');
  const size = async () =>
    (
      await c.query(
        "select pg_relation_size('process')::float / 1048576 h, pg_indexes_size('process')::float / 1048576 i",
      )
    ).rows[0];
  const a = await size();
  const lsn = async () => +(await c.query("select (pg_current_wal_insert_lsn() - '0/0')::text x")).rows[0].x;
  const l0 = await lsn();
  const h = hold ? await pgc.connect() : null;
  if (h) {
    await h.query('begin isolation level repeatable read');
    await h.query('select count(*) from process');
  }
  let n = 0;
  const t0 = performance.now();
  await Promise.all(
    [0, 1].map(async (k) => {
      const w = await pgc.connect();
      while (n < UPDATES) {
        n += B;
        const s = new Set();
        while (s.size < B) s.add(1 + k * (N / 2) + Math.floor(Math.random() * (N / 2)));
        await w.query({
          name: 'u',
          text: `update process p set ${set} from (select u.id from unnest($1::uuid[]) u(id)) u where p.id = u.id`,
          values: [[...s].map((i) => `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`)],
        });
      }
      await w.end();
    }),
  );
  const dt = (performance.now() - t0) / 1000,
    l1 = await lsn();
  await sleep(1200);
  const b = await size();
  const st = (
    await c.query(
      "select n_tup_upd::float u, n_tup_hot_upd::float h from pg_stat_user_tables where relname = 'process'",
    )
  ).rows[0];
  if (h) await h.end();
  console.log(
    `${name} | ${Math.round(n / dt)} | ${((100 * st.h) / st.u).toFixed(1)} | ${a.h.toFixed(1)} -> ${b.h.toFixed(1)} | ${a.i.toFixed(1)} -> ${b.i.toFixed(1)} | ${Math.round((l1 - l0) / n)}`,
  );
}
process.exit(0);
