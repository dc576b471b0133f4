// NOTIFY inside the commits against NOTIFY beside them. 16 connections, one event per commit, 3 listeners.
import { randomUUID } from 'node:crypto';
import { cluster, SCHEMA, sleep } from './lib.mjs';

const SECONDS = +(process.env.SECONDS ?? 6);
const pgc = await cluster({ shared_buffers: '512MB', max_wal_size: '4GB', max_connections: 60 });
const c = await pgc.connect();
await c.query(SCHEMA);
const ls = [];
let heard = 0;
for (let i = 0; i < 3; i++) {
  const l = await pgc.connect();
  await l.query('listen wake');
  l.on('notification', () => heard++);
  ls.push(l);
}
const fsyncs = async () =>
  +(await c.query("select coalesce(sum(fsyncs), 0) f from pg_stat_io where object = 'wal'")).rows[0].f;
async function run(name, sql, beside, conns = 16, rate = 0) {
  await c.query('truncate event');
  await c.query('checkpoint');
  heard = 0;
  let n = 0,
    locks = 0,
    samples = 0;
  const lat = [];
  const end = Date.now() + SECONDS * 1000,
    t0 = performance.now();
  const cpu0 = process.cpuUsage();
  const f0 = await fsyncs();
  let stop = false;
  const side = beside
    ? (async () => {
        const k = await pgc.connect();
        let last = 0;
        while (!stop) {
          if (n > last) {
            last = n;
            await k.query("select pg_notify('wake', '')");
          }
          await sleep(10);
        }
        await k.end();
      })()
    : null;
  const sampler = (async () => {
    while (!stop) {
      const r = (
        await c.query(
          "select count(*) filter (where wait_event_type = 'Lock')::int l, count(*)::int n from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and state = 'active'",
        )
      ).rows[0];
      locks += r.l;
      samples++;
      await sleep(50);
    }
  })();
  await Promise.all(
    [...Array(conns)].map(async (_, k) => {
      const w = await pgc.connect();
      let i = 0;
      while (Date.now() < end) {
        const t = performance.now();
        await w.query({ name: 'x' + name, text: sql, values: [randomUUID(), randomUUID()] });
        lat.push(performance.now() - t);
        n++;
        i++;
        if (rate) {
          const due = t0 + (i * conns * 1000) / rate;
          const d = due - performance.now();
          if (d > 1) await sleep(d);
        }
      }
      await w.end();
    }),
  );
  const dt = (performance.now() - t0) / 1000;
  stop = true;
  await sampler;
  await side;
  await sleep(500);
  const f = (await fsyncs()) - f0;
  lat.sort((a, b) => a - b);
  const u = process.cpuUsage(cpu0);
  console.log(
    `${name} | ${Math.round(n / dt)} commits/s | p50 ${lat[lat.length >> 1].toFixed(2)} ms, p99 ${lat[Math.floor(lat.length * 0.99)].toFixed(2)} ms | backends waiting for a lock, mean ${(locks / samples).toFixed(2)} | WAL fsyncs per commit ${(f / n).toFixed(2)} | heard ${heard} | client CPU ${((100 * (u.user + u.system)) / 1e6 / dt).toFixed(0)} %`,
  );
}
const INS = "insert into event (stream_id, sequence, event_id, type) values ($1, 1, $2, 't')";
const NOT = `with i as (${INS} returning 1) select pg_notify('wake', '') from i`,
  NOTU = `with i as (${INS} returning stream_id) select pg_notify('wake', stream_id::text) from i`;
await run('warm-up', INS, false);
for (let r = 0; r < 2; r++) {
  await run('no NOTIFY', INS, false);
  await run('NOTIFY in the commit', NOT, false);
  await run('NOTIFY in the commit, own payload', NOTU, false);
  await run('NOTIFY beside, at most every 10 ms', INS, true);
}
process.exit(0);
