import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { logDatabase } from '../contract/log-under-test.js';
import { readTail } from '../contract/read-tail.js';
import { operatorCompleted, requested, scheduled } from '../contract/sample-events.js';
import { migrateLog, runMigrations, waitForSchema } from '../migrate/migration-runner.js';
import { newProcessId } from '../process-id.js';
import { lostWithProcesses } from '../sql/lost-with-processes.sql.js';
import { adoptLogIncarnation, logIncarnations } from './log-incarnation.js';
import { createLogPool } from './log-pool.js';
import { LogUnavailable } from './log-unavailable.error.js';
import { isConnectionLoss } from './pg-errors.js';
import { PostgresEventLog } from './postgres-event-log.js';
import { PostgresTail } from './postgres-tail.js';
import { sendAlone } from './send-alone.js';

let db: Awaited<ReturnType<typeof logDatabase>>;
beforeAll(async () => {
  db = await logDatabase();
});
afterAll(() => db.close());

it('bounds every query, lock, and transaction of its connections', async () => {
  const { rows } = await db.pool.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in ('statement_timeout', 'lock_timeout',
      'idle_in_transaction_session_timeout', 'transaction_timeout') order by name`,
  );
  for (const { name, setting } of rows) expect(Number(setting), name).toBeGreaterThan(0);
});

it('migrates once, however many start at the same time, and others wait for the schema', async () => {
  let running = 0;
  let most = 0;
  const migrate = () =>
    runMigrations(db.pool, [
      {
        name: 'log',
        run: async (client) => {
          most = Math.max(most, ++running);
          await migrateLog(client);
          running -= 1;
        },
      },
    ]);
  await Promise.all([migrate(), migrate(), migrate(), waitForSchema(db.pool)]);
  expect(most).toBe(1);
  await expect(
    runMigrations(db.pool, [{ name: 'catalogue', run: () => Promise.reject(new Error('no room')) }]),
  ).rejects.toThrow(/catalogue.*no room/);
});

it('appends nothing on another timeline until it is adopted; then events carry the new incarnation and none is lost', async () => {
  const stream = newProcessId('c1');
  await new PostgresEventLog(db.pool, 'c1').append([{ stream, expected: 'none', events: [requested(), scheduled()] }]);
  await db.pool.query(`update log_incarnation set timeline = '000000FF'`);
  const pool = createLogPool({ url: db.url, application: 'after a promotion' });
  const log = new PostgresEventLog(pool, 'c1');
  const append = { stream, expected: 2, events: [operatorCompleted('a')] };
  const [outcome] = await log.appendEach([append]);
  expect(outcome!.status).toBe('in-doubt');
  await expect(log.heads([stream])).rejects.toBeInstanceOf(LogUnavailable);
  expect(await adoptLogIncarnation(db.url, 'spec')).toBe(2);
  expect(await adoptLogIncarnation(db.url, 'spec')).toBeNull();
  expect((await log.append([append]))[0]!.status).toBe('appended');
  expect((await log.read(stream)).map((event) => event.logIncarnation)).toEqual([1, 1, 2]);
  expect((await logIncarnations(pool)).map((known) => known.reason)).toEqual(['created', 'spec']);
  const events = await readTail(new PostgresTail(pool, 'c1'), null, 3);
  expect(events.map((event) => event.sequence)).toEqual([1, 2, 3]);
  await pool.end();
});

it('looks for what the lost still own by their names, also when it is planned while there are few heads', async () => {
  await db.pool.query(
    `insert into process (id, version, owner) select uuidv7(), 1, 'alive-' || n % 2 from generate_series(1, 400) n`,
  );
  await db.pool.query('analyze process');
  const pool = createLogPool({ url: db.url, application: 'spec', use: 'heartbeat', max: 1 });
  await pool.query(`prepare lost as ${lostWithProcesses}`);
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain execute lost('me')`);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toContain('using process_owner on process');
  expect(plan).not.toContain('Seq Scan on process');
  await pool.end();
  await db.pool.query(`delete from process where owner like 'alive-%'`);
});

it('outlives a session that the server ends between one who gives it back and the next who waits for it', async () => {
  const wire = await holdingProxy(db.url);
  const pool = createLogPool({ url: wire.url, application: 'spec', max: 1 });
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  wire.hold();
  const first = pool.query<{ one: number }>('select 1 as one');
  const waiting = sendAlone(pool, { name: 'two', text: 'select 2', values: [] }).then(
    () => null,
    (error: unknown) => error,
  );
  // The answer, and that the session is over, come in one piece.
  await wire.whenHeld();
  await db.pool.query('select pg_terminate_backend($1)', [rows[0]!.pid]);
  await wire.whenEnded();
  wire.release();
  expect((await first).rows).toEqual([{ one: 1 }]);
  expect(isConnectionLoss(await waiting)).toBe(true);
  expect((await pool.query('select 3')).rowCount).toBe(1);
  await pool.end();
  await wire.close();
});

/** Between a client and the server; while it holds, what the server says is kept, and given on in one piece. */
async function holdingProxy(database: string) {
  const target = new URL(database);
  let isHolding = false;
  let held: Buffer[] = [];
  let flush = (): void => undefined;
  let toldHeld = (): void => undefined;
  let toldEnded = (): void => undefined;
  const wasHeld = new Promise<void>((resolve) => {
    toldHeld = resolve;
  });
  const hasEnded = new Promise<void>((resolve) => {
    toldEnded = resolve;
  });
  const server = createServer((client) => {
    const session = connect(Number(target.port), target.hostname);
    for (const socket of [client, session]) socket.on('error', () => undefined);
    client.pipe(session);
    session.on('data', (chunk) => {
      if (!isHolding) client.write(chunk);
      else {
        held.push(chunk);
        toldHeld();
      }
    });
    session.on('end', () => {
      if (!isHolding) client.end();
      else {
        flush = () => client.end(Buffer.concat(held));
        toldEnded();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(database);
  url.port = String(typeof address === 'object' && address ? address.port : 0);
  return {
    url: url.href,
    hold: () => {
      isHolding = true;
    },
    whenHeld: () => wasHeld,
    whenEnded: () => hasEnded,
    release: () => {
      isHolding = false;
      flush();
      held = [];
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
