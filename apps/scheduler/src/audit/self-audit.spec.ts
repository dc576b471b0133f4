import { PostgresProcessViews } from '@baton/event-log';
import type { ProcessEvent } from '@baton/process';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Cell, quietLogger } from '../testing/cell.fixture.js';
import { SelfAudit } from './self-audit.js';

let cell: Cell;
const counted: string[] = [];
beforeAll(async () => {
  cell = await Cell.open();
});
afterAll(() => cell.close());
beforeEach(async () => {
  await cell.empty();
  await cell.pool.query('truncate process_view, audit_finding, executor, snapshot');
  counted.length = 0;
});

const audit = (more: Partial<ConstructorParameters<typeof SelfAudit>[0]> = {}) =>
  new SelfAudit({
    pool: cell.pool,
    ids: cell.ids,
    log: cell.log,
    commands: cell.commands,
    wakeUp: cell.wakeUp,
    logger: quietLogger,
    meter: {
      count: (_name, _value, attributes) => void counted.push(attributes?.['kind'] ?? ''),
      record: () => undefined,
    },
    batch: 2,
    streamsPerPass: 1_000,
    takeoverMs: 0,
    ...more,
  });
const pass = () => audit().pass(new AbortController().signal);
const scheduled: ProcessEvent = { type: 'ProcessScheduled', data: {} };
const claimed: ProcessEvent = { type: 'ProcessStarted', data: { executor: 'x' } };
const parked = (dueAt: string | null, ...waitsFor: string[]): ProcessEvent => ({
  type: 'ProcessParked',
  data: { waitsFor, dueAt },
});

async function listed(streams: string[]): Promise<void> {
  const views = new PostgresProcessViews(cell.pool, 'c1');
  for (const events of (await cell.log.readMany(streams.map((stream) => ({ stream, after: 0 })))).values())
    await views.apply(events);
}
async function findings() {
  const { rows } = await cell.pool.query(
    'select stream_id, kind, repaired_at is not null as repaired from audit_finding order by found_at',
  );
  return rows.map(({ stream_id, ...row }) => ({ stream: cell.ids.id(stream_id), ...row }));
}

it('finds nothing in processes that something will drive on (1)', async () => {
  const queued = await cell.request();
  const runnable = await cell.request();
  await cell.follow(runnable, scheduled);
  const timer = await cell.request();
  await cell.follow(timer, scheduled, claimed, parked(new Date(Date.now() + 60_000).toISOString(), 'soak'));
  const owned = await cell.request();
  await cell.follow(owned, scheduled, claimed);
  await cell.pool.query(
    "insert into executor (id, host, pid, version, capacity, lease_ms, heartbeat_ms) values ('x', 'h', 1, '1', 1, 3000, 1000)",
  );
  const paused = await cell.request();
  await cell.follow(paused, scheduled, claimed, { type: 'ProcessPaused', data: { by: { id: 'p' } } }, parked(null));
  const ended = await cell.request();
  await cell.follow(ended, scheduled, claimed, { type: 'ProcessCompleted', data: { outputs: {} } });
  const raised = await cell.request();
  const incident = { incidentId: 'i', kind: 'spec', reason: 'r', actions: [] };
  await cell.follow(raised, scheduled, claimed, { type: 'IncidentRaised', data: incident }, parked(null));
  const all = [queued, runnable, timer, owned, paused, ended, raised];
  await listed(all);
  // The list is behind: it does not know yet that this one has ended.
  await cell.pool.query('update process_view set ended_at = null where stream_id = $1', [cell.ids.mustUuid(ended)]);
  expect(await pass()).toBe(0);
  expect(await findings()).toEqual([]);
});

it('makes a process runnable that nothing would drive on, says so, and raises an incident when that did not help (3, 4)', async () => {
  const stuck = await cell.request();
  await cell.follow(stuck, scheduled, claimed, parked(null, 'lost'));
  await listed([stuck]);
  expect(await pass()).toBe(1);
  expect((await cell.types(stuck)).at(-1)).toBe('ProcessReleased');
  expect((await cell.log.heads([stuck])).get(stuck)?.runnableAt).not.toBeNull();
  expect(await findings()).toEqual([{ stream: stuck, kind: 'nothing-moves-it', repaired: true }]);
  expect(counted).toEqual(['nothing-moves-it']);
  expect(cell.hints).toEqual(['runnable']);
  expect(await pass()).toBe(0);

  await cell.follow(stuck, claimed, parked(null, 'lost'));
  expect(await pass()).toBe(1);
  expect((await cell.types(stuck)).slice(-2)).toEqual(['IncidentRaised', 'ProcessParked']);
  expect(await pass()).toBe(0);
});

it('puts a process back into the queue that has lost its place (3)', async () => {
  const stream = await cell.request({ priority: 7, concurrency: { key: 'k', limit: 2, onLimit: 'skip' } });
  await listed([stream]);
  await cell.pool.query('truncate queue');
  expect(await pass()).toBe(1);
  expect((await cell.queue.look(10, 10)).candidates).toMatchObject([
    { stream, priority: 7, key: { name: 'k', limit: 2, onLimit: 'skip' } },
  ]);
  expect(await findings()).toMatchObject([{ kind: 'no-queue-place', repaired: true }]);
});

it('shows an owner that is over and that nobody takes over, and leaves the takeover to the executors', async () => {
  const stream = await cell.request();
  await cell.follow(stream, scheduled, claimed);
  await listed([stream]);
  await cell.pool.query(
    "insert into executor (id, host, pid, version, capacity, lease_ms, heartbeat_ms, status, ended_at) values ('x', 'h', 1, '1', 1, 3000, 1000, 'lost', now() - interval '1 minute')",
  );
  expect(await pass()).toBe(1);
  expect(await findings()).toEqual([{ stream, kind: 'owner-lost', repaired: false }]);
  expect((await cell.types(stream)).at(-1)).toBe('ProcessStarted');
  expect(await pass()).toBe(0);
});

it('leaves alone a process that moved while it was looked at (2)', async () => {
  const stream = await cell.request();
  await cell.follow(stream, scheduled, claimed, parked(null, 'lost'));
  await listed([stream]);
  const moving = audit({
    log: {
      append: (appends) => cell.log.append(appends),
      read: async (id) => {
        await cell.follow(id, { type: 'ProcessResumed', data: { by: { id: 'p' } } });
        return cell.log.read(id);
      },
    },
  });
  expect(await moving.pass(new AbortController().signal)).toBe(0);
  expect(await findings()).toEqual([]);
});

it('finds what no list knows, in the log itself (5)', async () => {
  const stuck = await cell.request();
  await cell.follow(stuck, scheduled, claimed, parked(null, 'lost'));
  expect(await pass()).toBe(1);
  expect(await findings()).toEqual([{ stream: stuck, kind: 'nothing-moves-it', repaired: true }]);
  expect((await cell.types(stuck)).at(-1)).toBe('ProcessReleased');
});

it('goes on through the log where the last pass stopped, and comes around (5)', async () => {
  const streams: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    const stream = await cell.request();
    await cell.follow(stream, scheduled, claimed, parked(null, 'lost'));
    streams.push(stream);
  }
  const small = audit({ streamsPerPass: 2 });
  const signal = new AbortController().signal;
  expect(await small.pass(signal)).toBe(2);
  expect(await small.pass(signal)).toBe(2);
  expect(await small.pass(signal)).toBe(1);
  expect((await findings()).map(({ stream }) => stream)).toEqual(streams);
  await cell.follow(streams[0]!, claimed, parked(null, 'lost'));
  expect(await small.pass(signal)).toBe(1);
});

it.each([
  ['delete from process', 'no-head'],
  ['update process set version = version - 1', 'head-differs'],
  ['update process set version = version + 3', 'head-differs'],
])('makes a head again from the log: %s (3)', async (damage, kind) => {
  const stream = await cell.request();
  await cell.follow(stream, scheduled, claimed, parked(new Date(Date.now() + 60_000).toISOString(), 'soak'));
  const before = (await cell.log.heads([stream])).get(stream);
  await cell.pool.query(damage);
  expect(await pass()).toBe(1);
  expect(await findings()).toEqual([{ stream, kind, repaired: true }]);
  expect((await cell.log.heads([stream])).get(stream)).toEqual(before);
  expect(await pass()).toBe(0);
});

it('puts a retried process back into the queue with what its retry says (3)', async () => {
  const stream = await cell.request({ priority: 2, concurrency: { key: 'k', limit: 2, onLimit: 'skip' } });
  const error = { code: 'x', message: 'y' };
  await cell.follow(stream, scheduled, claimed, {
    type: 'ProcessFailed',
    data: { error, compensated: [], notUndone: [] },
  });
  expect((await cell.commands.handle(stream, { kind: 'retry', by: { id: 'p' } })).status).toBe('done');
  const place = { stream, priority: 2, key: { name: 'k', limit: 2, onLimit: 'queue' } };
  expect((await cell.queue.look(10, 10)).candidates).toMatchObject([place]);
  await cell.pool.query('truncate queue');
  expect(await pass()).toBe(1);
  expect((await cell.queue.look(10, 10)).candidates).toMatchObject([place]);
});
