import { PostgresMessageStore, uuidv7 } from '@baton/event-log';
import { createMetrics } from '@baton/telemetry';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Scheduler } from './scheduler.js';
import { Cell, quietLogger } from './testing/cell.fixture.js';

let cell: Cell;
const running: Scheduler[] = [];
beforeAll(async () => {
  cell = await Cell.open();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((scheduler) => scheduler.stop()));
});
afterAll(() => cell.close());

async function start(more: { notify: boolean; pollMs: number | null }): Promise<Scheduler> {
  const metrics = createMetrics('scheduler', '1');
  const config = {
    databaseUrl: cell.url,
    host: '127.0.0.1',
    port: 0,
    cell: 'c1',
    connections: 4,
    logLevel: 'info',
    kafka: null,
    ...more,
  };
  const scheduler = new Scheduler(config, quietLogger, metrics);
  running.push(scheduler);
  await scheduler.start();
  return scheduler;
}

/** Looks at the streams again and again: what the schedulers do is not told by any hint here. */
async function until(streams: string[], type: string): Promise<void> {
  for (;;) {
    const types = await Promise.all(streams.map((stream) => cell.types(stream)));
    if (types.every((list) => list.includes(type))) return;
  }
}

it('two schedulers admit everything once, without any hint, and each keeps to the limit of a key', async () => {
  await Promise.all([start({ notify: false, pollMs: 20 }), start({ notify: false, pollMs: 20 })]);
  const free = await Promise.all(Array.from({ length: 30 }, () => cell.request()));
  const concurrency = { key: 'db', limit: 1, onLimit: 'queue' as const };
  const [first, second] = [await cell.request({ concurrency }), await cell.request({ concurrency })];
  await until([...free, first], 'ProcessScheduled');
  for (const stream of free) expect(await cell.types(stream)).toEqual(['ProcessRequested', 'ProcessScheduled']);
  expect(await cell.types(second)).toEqual(['ProcessRequested']);
  await cell.end(first);
  await until([second], 'ProcessScheduled');
});

it('is woken by a hint although its poll is an hour away, and tells its health by progress', async () => {
  const scheduler = await start({ notify: true, pollMs: 3_600_000 });
  const stream = await cell.request();
  scheduler.wakeUp.notify('queue');
  await until([stream], 'ProcessScheduled');
  while (scheduler.health().checks['admission'] !== 'ok') await cell.types(stream);
  while (!/baton_scheduler_admitted_total\{?.*\}? \d+/.test(await scheduler.renderMetrics()));
});

it('serves on while nothing comes from its bus, and says so: degraded, not unready', async () => {
  const scheduler = await start({ notify: true, pollMs: 3_600_000 });
  const hints = { healthy: true };
  scheduler.readsBusBy(hints);
  scheduler.wakeUp.notify('queue');
  while (scheduler.health().checks['admission'] !== 'ok') await cell.pool.query('select');
  expect(scheduler.health().checks).not.toHaveProperty('bus');
  hints.healthy = false;
  expect(scheduler.health()).toMatchObject({
    status: 'degraded',
    checks: { admission: 'ok', bus: 'nothing was read from the bus lately' },
  });
});

it('is told by NOTIFY of ends that free a slot, and of receivers whose message is here: polls an hour away, no bus', async () => {
  const scheduler = await start({ notify: true, pollMs: 3_600_000 });
  const concurrency = { key: 'told', limit: 1, onLimit: 'queue' as const };
  const [first, second] = [await cell.request({ concurrency }), await cell.request({ concurrency })];
  scheduler.wakeUp.notify('queue');
  await until([first], 'ProcessScheduled');
  expect(await cell.types(second)).toEqual(['ProcessRequested']);
  const messages = new PostgresMessageStore(cell.pool, 'c1');
  await messages.post({ id: uuidv7(), name: 'go', key: first, payload: 1, keepMs: 60_000 });
  const waitsFor = { kind: 'message' as const, name: 'go', key: first, dueAt: null };
  const started = { path: 'told', type: 'receive', class: 'waiting' as const, attempt: 1, executor: 'x', waitsFor };
  await cell.follow(
    first,
    { type: 'ProcessStarted', data: { executor: 'x' } },
    { type: 'OperatorStarted', data: started },
  );
  scheduler.wakeUp.notify('message');
  await until([first], 'MessageReceived');
  await cell.end(first);
  scheduler.wakeUp.notify('ended', first);
  await until([second], 'ProcessScheduled');
});

it('tells what the cluster waits for: queue, executors, people, and how far each reader of the tail is behind', async () => {
  const scheduler = await start({ notify: true, pollMs: 20 });
  const stream = await cell.request();
  await until([stream], 'ProcessScheduled');
  const startAt = new Date(Date.now() + 3_600_000).toISOString();
  await cell.request({ priority: 8, startAt });
  const text = await scheduler.renderMetrics();
  expect(text).toMatch(/^baton_queue_depth\{[^}]*priority="8"[^}]*\} [1-9]/m);
  expect(text).toMatch(/^baton_tail_lag\{[^}]*subscriber="process-views"[^}]*\} \d/m);
  expect(text).toMatch(/^baton_timer_lag\{?[^}]*\}? \d/m);
  for (const name of ['executor_count', 'executor_driven', 'executor_capacity', 'incident_open', 'task_open'])
    expect(text).toMatch(new RegExp(`^baton_${name}[{ ]`, 'm'));
});
