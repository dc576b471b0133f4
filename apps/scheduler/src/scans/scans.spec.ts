import { PostgresMessageStore, PostgresProcessViews, PostgresTail, uuidv7 } from '@baton/event-log';
import type { ProcessEvent } from '@baton/process';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ProcessViewsFeeder, viewsSubscriber } from '../feeder/process-views.feeder.js';
import { LogJobRunner } from '../rebuild/log-job.runner.js';
import { silentMeter } from '../scheduler.ports.js';
import { Cell, quietLogger } from '../testing/cell.fixture.js';
import { ChildEndScan } from './child-end.scan.js';
import { MessageScan } from './message.scan.js';

let cell: Cell;
beforeAll(async () => {
  cell = await Cell.open();
});
afterAll(() => cell.close());
beforeEach(() => cell.empty());

const scheduled: ProcessEvent = { type: 'ProcessScheduled', data: {} };
const claimed: ProcessEvent = { type: 'ProcessStarted', data: { executor: 'x' } };
const released: ProcessEvent = { type: 'ProcessReleased', data: { executor: 'x', reason: 'spec' } };

describe('the scan of children', () => {
  const scan = () =>
    new ChildEndScan({
      pool: cell.pool,
      ids: cell.ids,
      commands: cell.commands,
      logger: quietLogger,
      meter: silentMeter,
      batch: 2,
    });

  async function parentOf(onParentEnd: 'cancel' | 'leave', paths: string[]) {
    const parent = await cell.request();
    const children: string[] = [];
    for (const path of paths)
      children.push(await cell.request({ parent: { id: parent, path, attempt: 1, onParentEnd } }));
    const starts = paths.map((path, at): ProcessEvent => {
      const waitsFor = { kind: 'child' as const, child: children[at]!, onParentEnd };
      return {
        type: 'OperatorStarted',
        data: { path, type: 'process', class: 'waiting', attempt: 1, executor: 'x', waitsFor },
      };
    });
    const parked: ProcessEvent = { type: 'ProcessParked', data: { waitsFor: paths, dueAt: null } };
    await cell.follow(parent, scheduled, claimed, ...starts, parked);
    return { parent, children };
  }

  it('tells a parent of every end that it was not told of, once', async () => {
    const { parent, children } = await parentOf('cancel', ['a', 'b', 'c']);
    await cell.end(children[0]!, { type: 'ProcessCompleted', data: { outputs: { n: 1 } } });
    const error = { code: 'x', message: 'broken' };
    await cell.end(children[1]!, { type: 'ProcessFailed', data: { error, compensated: [], notUndone: [] } });
    await cell.end(children[2]!, { type: 'ProcessCancelled', data: { compensated: [], notUndone: [] } });
    await scan().run();
    await scan().run();
    const told = (await cell.log.read(parent)).filter(({ type }) => type === 'ChildEnded').map(({ data }) => data);
    expect(told).toHaveLength(3);
    expect(told).toEqual(
      expect.arrayContaining([
        { child: children[0], path: 'a', attempt: 1, status: 'completed', outputs: { n: 1 } },
        expect.objectContaining({ child: children[1], path: 'b', status: 'failed', error }),
        expect.objectContaining({ child: children[2], path: 'c', status: 'cancelled' }),
      ]),
    );
    const { rows } = await cell.pool.query('select from child where not told');
    expect(rows).toEqual([]);
  });

  it('cancels the children of a parent that ended, unless they are to be left, once', async () => {
    const left = await parentOf('leave', ['a']);
    const { parent, children } = await parentOf('cancel', ['a']);
    const cancelled: ProcessEvent = { type: 'ProcessCancelled', data: { compensated: [], notUndone: [] } };
    await cell.end(parent, cancelled);
    await cell.end(left.parent, cancelled);
    await scan().run();
    await scan().run();
    expect(await cell.types(children[0]!)).toEqual(['ProcessRequested', 'ProcessCancelRequested']);
    expect(await cell.types(left.children[0]!)).toEqual(['ProcessRequested']);
  });
});

it('a message that came first is delivered to the receiver that waits for it, once', async () => {
  const messages = new PostgresMessageStore(cell.pool, 'c1');
  const scan = new MessageScan({ messages, commands: cell.commands, logger: quietLogger, meter: silentMeter });
  await messages.post({ id: 'm1', name: 'paid', key: 'order-1', payload: { amount: 5 }, keepMs: 60_000 });
  await scan.run();
  const stream = await cell.request();
  const waitsFor = { kind: 'message' as const, name: 'paid', key: 'order-1' };
  await cell.follow(
    stream,
    scheduled,
    claimed,
    {
      type: 'OperatorStarted',
      data: { path: 'wait', type: 'receive', class: 'waiting', attempt: 1, executor: 'x', waitsFor },
    },
    { type: 'ProcessParked', data: { waitsFor: ['wait'], dueAt: null } },
  );
  await scan.run();
  await scan.run();
  const received = (await cell.log.read(stream)).filter(({ type }) => type === 'MessageReceived');
  expect(received).toMatchObject([{ data: { messageId: 'm1', path: 'wait', payload: { amount: 5 } } }]);
});

describe('the list of processes', () => {
  it('is fed from the tail by whoever holds the lease, and not twice', async () => {
    const views = new PostgresProcessViews(cell.pool, 'c1');
    const tail = new PostgresTail(cell.pool, 'c1');
    const stream = await cell.request({ labels: { team: 'web' } });
    await cell.follow(stream, scheduled, claimed, released);
    const feeder = (held: bigint | null) =>
      new ProcessViewsFeeder({ tail, views, lease: { hold: async () => held }, batch: 2, meter: silentMeter });
    expect(await feeder(null).round()).toBeUndefined();
    expect(await tail.checkpoint(viewsSubscriber)).toBeNull();
    const mine = feeder(1n);
    // Other databases of the cluster may hold back what is settled.
    while ((await views.list({})).items[0]?.startedAt === undefined || (await views.list({})).items[0]?.owner !== null)
      await mine.round();
    expect((await views.list({})).items).toMatchObject([{ id: stream, labels: { team: 'web' }, owner: null }]);
    expect(await tail.checkpoint(viewsSubscriber)).not.toBeNull();
  });

  it('is made again from the log by a job, with heads and queue, and the job says how it went', async () => {
    const stream = await cell.request();
    await cell.pool.query('truncate queue, process_view');
    await cell.pool.query('update process set priority = 1');
    const id = uuidv7();
    await cell.pool.query("insert into log_job (id, kind, requested_by) values ($1, 'rebuild', 'admin')", [id]);
    const lease = { hold: async () => 1n, release: async () => undefined };
    const runner = new LogJobRunner({ pool: cell.pool, cell: 'c1', lease, logger: quietLogger });
    expect(await runner.round(new AbortController().signal)).toBe('again');
    expect(await runner.round(new AbortController().signal)).toBeUndefined();
    expect((await cell.queue.look(10, 10)).candidates).toMatchObject([{ stream, priority: 5 }]);
    const { rows } = await cell.pool.query('select finished_at is not null as done, error, progress from log_job');
    expect(rows).toMatchObject([{ done: true, error: null, progress: { processes: 1 } }]);
  });

  it('a job that nobody knows ends with the reason', async () => {
    await cell.pool.query("insert into log_job (id, kind, requested_by) values ($1, 'polish', 'admin')", [uuidv7()]);
    const lease = { hold: async () => 1n, release: async () => undefined };
    await new LogJobRunner({ pool: cell.pool, cell: 'c1', lease, logger: quietLogger }).round(
      new AbortController().signal,
    );
    const { rows } = await cell.pool.query("select error from log_job where kind = 'polish'");
    expect(rows[0].error).toMatch(/knows no job "polish"/);
  });
});
