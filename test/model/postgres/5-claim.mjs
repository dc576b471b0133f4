// Claiming under churn: PARKED (default 300000) timers far in the future, 4 claimers that take 20 and give them back at once.
import { cluster, sleep } from './lib.mjs';

const PARKED = +(process.env.PARKED ?? 300000),
  SECONDS = +(process.env.SECONDS ?? 6);
const pgc = await cluster({ shared_buffers: '512MB', max_wal_size: '4GB', autovacuum_naptime: '5s' });
const c = await pgc.connect();
const PICK = {
  'plain: order by priority desc, runnable_at': `select id from process where owner is null and runnable_at <= now() order by priority desc, runnable_at limit 20 for update skip locked`,
  'per priority (lateral)': `select q.id from (values (2), (1), (0)) v(pr) cross join lateral (select id from process where owner is null and priority = v.pr and runnable_at <= now() order by runnable_at limit 20 for update skip locked) q limit 20`,
};
const TWO = {
  cand: `select q.id, q.version from (values (2), (1), (0)) v(pr) cross join lateral (select id, version from process where owner is null and priority = v.pr and runnable_at <= now() order by runnable_at limit 60) q limit 60`,
  take: `with k as materialized (select p.id from unnest($1::uuid[], $2::int[]) k(id, version) join process p on p.id = k.id and p.version = k.version and p.owner is null order by p.id limit 20 for update of p skip locked)
    update process p set owner = $3, version = version + 1, runnable_at = null from k where p.id = k.id returning p.id`,
};
const giveBack =
  'update process p set owner = null, version = version + 1, runnable_at = clock_timestamp() from unnest($1::uuid[]) u(id) where p.id = u.id';
async function run(name, how, hold) {
  await c.query(
    `drop table if exists process; create table process (id uuid primary key, version int not null default 0, owner int, runnable_at timestamptz, priority int not null default 0) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0); create index runnable on process (priority desc, runnable_at) where owner is null`,
  );
  await c.query(
    `insert into process (id, runnable_at, priority) select gen_random_uuid(), now() + interval '1 day' + i * interval '1 s', i % 3 from generate_series(1, ${PARKED}) i`,
  );
  await c.query(
    `insert into process (id, runnable_at, priority) select gen_random_uuid(), now() - i * interval '1 ms', i % 3 from generate_series(1, 5000) i`,
  );
  await c.query('vacuum analyze process');
  await c.query('checkpoint');
  const h = hold ? await pgc.connect() : null;
  if (h) {
    await h.query('begin isolation level repeatable read');
    await h.query('select 1 from process limit 1');
  }
  let n = 0,
    dead = 0;
  const lat = [];
  const end = Date.now() + SECONDS * 1000,
    t0 = performance.now();
  await Promise.all(
    [1, 2, 3, 4].map(async (k) => {
      const w = await pgc.connect();
      while (Date.now() < end) {
        const t = performance.now();
        try {
          let ids;
          if (how === 'two') {
            const cand = (await w.query({ name: 'c', text: TWO.cand })).rows
              .sort(() => Math.random() - 0.5)
              .slice(0, 30);
            ids = (
              await w.query({
                name: 't',
                text: TWO.take,
                values: [cand.map((r) => r.id), cand.map((r) => r.version), k],
              })
            ).rows.map((r) => r.id);
          } else {
            await w.query('begin');
            ids = (await w.query({ name: 'p' + how.length, text: PICK[how] })).rows.map((r) => r.id);
            await w.query({
              name: 'o',
              text: 'update process p set owner = $2, version = version + 1, runnable_at = null from unnest($1::uuid[]) u(id) where p.id = u.id',
              values: [ids, k],
            });
            await w.query('commit');
          }
          lat.push(performance.now() - t);
          n += ids.length;
          if (ids.length) await w.query({ name: 'g', text: giveBack, values: [ids] });
        } catch (e) {
          if (e.code !== '40P01') throw e;
          dead++;
          await w.query('rollback');
        }
      }
      await w.end();
    }),
  );
  const dt = (performance.now() - t0) / 1000;
  lat.sort((a, b) => a - b);
  if (h) await h.end();
  const sz = (await c.query("select round(pg_relation_size('runnable') / 1048576.0, 1)::float s")).rows[0].s;
  console.log(
    `${name} | ${Math.round(n / dt)} claims/s | ${Math.round(lat.length / dt)} statements/s | p50 ${lat[lat.length >> 1]?.toFixed(1)} ms, p99 ${lat[Math.floor(lat.length * 0.99)]?.toFixed(1)} ms | index ${sz} MiB | deadlocks ${dead}`,
  );
}
// Not timed: pages touched by one look, 300,000 parked, 20 due in the lowest priority; then 20,000 claimed and parked again without a vacuum
await c.query(
  `drop table if exists process; create table process (id uuid primary key, version int not null default 0, owner int, runnable_at timestamptz, priority int not null default 0) with (fillfactor = 50, autovacuum_enabled = off); create index runnable on process (priority desc, runnable_at) where owner is null`,
);
await c.query(
  `insert into process (id, runnable_at, priority) select gen_random_uuid(), now() + interval '1 day' + i * interval '1 s', i % 3 from generate_series(1, ${PARKED}) i; insert into process (id, runnable_at, priority) select gen_random_uuid(), now() - i * interval '1 ms', 0 from generate_series(1, 20) i`,
);
await c.query('vacuum analyze process');
const pages = async (q) => {
  const x = (await c.query('explain (analyze, buffers, format json) ' + q)).rows[0]['QUERY PLAN'][0].Plan;
  return x['Shared Hit Blocks'] + x['Shared Read Blocks'];
};
console.log((await c.query('show server_version')).rows[0].server_version);
for (const [k, q] of [...Object.entries(PICK), ['look only, per priority', TWO.cand]])
  console.log(`pages for one look | ${k} | ${await pages(q)}`);
for (const held of [false, true]) {
  const h = held ? await pgc.connect() : null;
  if (h) {
    await h.query('begin isolation level repeatable read');
    await h.query('select 1 from process limit 1');
  }
  await c.query(
    `update process set runnable_at = now() - interval '1 s' where id in (select id from process where priority = 0 order by id limit 20000)`,
  );
  await c.query(`update process set owner = 1 where runnable_at <= now()`);
  await c.query(`update process set owner = null, runnable_at = now() + interval '1 day' where owner = 1`);
  await c.query(
    `update process set runnable_at = now() where id in (select id from process where priority = 0 order by id desc limit 20)`,
  );
  for (let i = 0; i < 2; i++)
    console.log(
      `pages after 20,000 were claimed and parked again, no vacuum${held ? ', a snapshot held' : ''}, look ${i + 1} | ${await pages(TWO.cand)}`,
    );
  if (h) await h.end();
}
if (process.env.PAGES) process.exit(0);
for (const how of Object.keys(PICK)) await run(`SKIP LOCKED, ${how}`, how);
await run('two steps: look (id, version), then take those versions, SKIP LOCKED', 'two');
await run('SKIP LOCKED per priority, one snapshot held open', 'per priority (lateral)', true);
await run('two steps, one snapshot held open', 'two', true);
process.exit(0);
