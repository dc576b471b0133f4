import { testCluster, untilSettled } from '@baton/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { requested, scheduled, startedBy } from '../contract/sample-events.js';
import { migrateLog } from '../migrate/migration-runner.js';
import { newProcessId } from '../process-id.js';
import { openPostgresCell, type PostgresCell } from './postgres-cell.js';
import { PostgresExecutorRegistry } from './postgres-executor-registry.js';
import { clusterTail } from './postgres-tail.js';

let cluster: Awaited<ReturnType<typeof testCluster>>;
let cell: PostgresCell;
let other: PostgresExecutorRegistry;
let monotonic = 0;
const report = { driven: 1, draining: false, progress: 1 };

beforeAll(async () => {
  cluster = await testCluster({ max_connections: 50 });

  cell = openPostgresCell({ url: cluster.cluster.url(), cell: 'c1', application: 'spec' });
  await migrateLog(cell.pools.service);
  other = new PostgresExecutorRegistry(cell.pools.heartbeat, cluster.cluster.url(), () => monotonic);
});
afterAll(async () => {
  await cell.close();
  await cluster.drop();
});

async function join(registry: PostgresExecutorRegistry, id: string, leaseMs: number): Promise<void> {
  await registry.join({ id, host: 'h', pid: 1, version: '1', capacity: 10, leaseMs });
  const stream = newProcessId('c1');
  await cell.log.append([{ stream, expected: 'none', events: [requested(), scheduled()] }]);
  await cell.log.append([{ stream, expected: 2, owner: null, events: [startedBy(id)] }]);
}
/** Waits for an event of the database, not for a time. */
async function until(ready: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await ready())) {
    if (performance.now() > deadline) throw new Error('It did not come.');
    await cell.pools.service.query('select pg_sleep(0.05)');
  }
}

it('notices a crash by the free lock, and proves it by the lease, on the clock of the database', async () => {
  await join(cell.executors, 'dead', 1_500);
  const lock = await cell.executors.holdLock('dead');
  await other.join({ id: 'peer', host: 'h', pid: 2, version: '1', capacity: 10, leaseMs: 1_500 });
  await cell.executors.heartbeat('dead', report);
  const beat = async () => {
    monotonic += 400;
    await other.heartbeat('peer', report);
  };
  await until(async () => {
    await cell.executors.heartbeat('dead', report);
    await beat();
    return monotonic > 3_200;
  });
  expect(await other.detectLost('peer')).toEqual([]);
  await lock.release();
  const seen: (string | null)[] = [];
  await until(async () => {
    await beat();
    seen.push(...(await other.detectLost('peer')).map((x) => x.proof));
    return seen.length > 0;
  });
  expect((await cell.executors.heartbeat('dead', report)).alive).toBe(false);
  expect((await cell.claims.lookForOrphans(10)).map((orphan) => orphan.owner)).toEqual(['dead']);
  await until(async () => (await other.provenOver(['dead', 'peer'])).has('dead'));
  expect((await other.list()).map((x) => `${x.id}:${x.status}`)).toEqual(['dead:lost', 'peer:alive']);
});

it('makes nobody lost when PostgreSQL restarts, and everybody holds a lock again by itself', async () => {
  await join(cell.executors, 'survivor', 2_000);
  const lock = await cell.executors.holdLock('survivor');
  expect(lock.held).toBe(true);
  await cell.executors.heartbeat('survivor', report);
  await cluster.cluster.restart('immediate');
  let lost = 0;
  await until(async () => {
    try {
      monotonic += 400;
      await other.heartbeat('peer', report);
      lost += (await other.detectLost('peer')).filter((x) => x.id === 'survivor').length;
      await cell.executors.heartbeat('survivor', report);
      return lock.held;
    } catch (error) {
      expect(String(error)).toMatch(/terminat|ECONN|starting up|recovery|shut/i);
      return false;
    }
  });
  expect(lost).toBe(0);
  expect((await cell.executors.heartbeat('survivor', report)).alive).toBe(true);
  await lock.release();
});

it('takes the lock again after its connection was cut, on one connection, however often it is asked for', async () => {
  const { service } = cell.pools;
  const sessions = async () => {
    const { rows } = await service.query<{ pid: number }>(
      "select pid from pg_stat_activity where application_name = 'baton lock'",
    );
    return rows.map((row) => row.pid);
  };
  // What earlier tests let go of is gone on the server a moment later.
  await until(async () => (await sessions()).length === 0);
  const lock = await cell.executors.holdLock('cut');
  await service.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'baton lock'");
  const asked = await Promise.all([cell.executors.holdLock('cut'), cell.executors.holdLock('cut')]);
  await until(async () => lock.held && asked.every(({ held }) => held));
  await until(async () => (await sessions()).length === 1);
  await lock.release();
  await until(async () => (await sessions()).length === 0);
});

it('finds processes whose owner the table of executors does not know: nobody else would take them up', async () => {
  const stream = newProcessId('c1');
  await cell.log.append([{ stream, expected: 'none', events: [requested(), scheduled()] }]);
  await cell.log.append([{ stream, expected: 2, owner: null, events: [startedBy('never-joined')] }]);
  const orphans = await cell.claims.lookForOrphans(1_000);
  expect(orphans.find((one) => one.stream === stream)).toMatchObject({ version: 3, owner: 'never-joined' });
  await cell.executors.join({ id: 'living', host: 'h', pid: 3, version: '1', capacity: 10, leaseMs: 60_000 });
  const driven = newProcessId('c1');
  await cell.log.append([{ stream: driven, expected: 'none', events: [requested(), scheduled()] }]);
  await cell.log.append([{ stream: driven, expected: 2, owner: null, events: [startedBy('living')] }]);
  expect((await cell.claims.lookForOrphans(1_000)).map((one) => one.stream)).not.toContain(driven);
  expect(await cell.executors.provenOver(['never-joined', 'living'])).toEqual(new Set(['never-joined']));
});

it('tells the peers at once when a supervisor saw an executor exit', async () => {
  await join(other, 'x-exits', 60_000);
  await cell.wakeUp.start();
  const told = new Promise<void>((resolve) => {
    cell.wakeUp.listen((topic) => {
      if (topic === 'cluster') resolve();
    });
  });
  await other.recordExit('x-exits', { code: null, signal: 'SIGKILL' });
  await told;
  expect(await other.provenOver(['x-exits'])).toEqual(new Set(['x-exits']));
});

it('writes down who joined, left and was lost, each once, in the order of a tail', async () => {
  const three = ['t-leaves', 't-exits', 't-both'];
  for (const id of three) await join(other, id, 60_000);
  await join(other, 't-leaves', 60_000);
  await other.leave('t-leaves');
  await other.recordExit('t-leaves', { code: 0, signal: null });
  for (let times = 0; times < 2; times += 1) await other.recordExit('t-exits', { code: null, signal: 'SIGKILL' });
  await untilSettled(cell.pools.service);
  const { events } = await clusterTail(cell.pools.service, 'c1').read(null, 1_000);
  const of = (node: string) =>
    events
      .filter(({ data }) => 'node' in data && data.node === node)
      .map(({ type, sequence }) => `${sequence} ${type}`);
  expect(of('t-leaves')).toEqual(['1 ExecutorJoined', '2 ExecutorLeft']);
  expect(of('t-exits')).toEqual(['1 ExecutorJoined', '2 ExecutorLost']);
  expect(of('t-both')).toEqual(['1 ExecutorJoined']);
  expect(of('dead')).toEqual(['1 ExecutorJoined', '2 ExecutorLost']);
});
