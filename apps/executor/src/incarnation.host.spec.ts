import { MemoryCell } from '@baton/event-log';
import { expect, it } from 'vitest';
import { ManualClock } from './clock/manual.clock.fixture.js';
import { defaultSettings, type ExecutorPorts } from './executor.ports.js';
import { IncarnationHost } from './incarnation.host.js';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function hostOver(clock: ManualClock, cell: MemoryCell, registry: Partial<ExecutorPorts['registry']> = {}) {
  let ids = 0;
  const joined: string[] = [];
  const { executors } = cell;
  const ports: ExecutorPorts = {
    clock,
    random: () => 0.5,
    newId: () => {
      ids += 1;
      return `x${ids}`;
    },
    log: cell.log,
    newAppender: () => ({ append: async () => ({ status: 'refused' }), stop: () => undefined }),
    claims: cell.claims,
    registry: {
      join: (executor) => executors.join(executor),
      heartbeat: (id, report) => executors.heartbeat(id, report),
      holdLock: (id) => executors.holdLock(id),
      detectLost: (me) => executors.detectLost(me),
      suspicionCountsInMs: (me) => executors.suspicionCountsInMs(me),
      recordExit: (id) => executors.recordExit(id),
      leave: (id) => executors.leave(id),
      list: () => executors.list(),
      provenOver: (ids) => executors.provenOver(ids),
      ...registry,
    },
    snapshots: cell.snapshots,
    definitions: { load: async () => null, requestChild: async () => ({ error: { code: 'x', message: 'x' } }) },
    effects: { run: async () => Promise.reject(new Error('no effects here')) },
    commands: { handle: async () => undefined, markTold: async () => undefined },
    wakeUp: cell.wakeUp,
    artifacts: { load: async () => null, put: async () => ({ digest: '', size: 0 }) },
    logger: quiet,
    meter: { count: () => undefined, record: () => undefined },
  };
  const host = new IncarnationHost(ports, defaultSettings, { host: 'h', pid: 1, version: '1' }, (id) =>
    joined.push(id),
  );
  return { host, joined, executors };
}

it('has no lost incarnation for its current one, also when it was lost before its first heartbeat (H1)', async () => {
  const clock = new ManualClock();
  const cell = new MemoryCell({ now: () => clock.wall() });
  const { host, joined } = hostOver(clock, cell, {
    async heartbeat(id, report) {
      // Frozen between joining and its first heartbeat, for longer than its lease.
      if (id === 'x1') await cell.executors.recordExit(id);
      return cell.executors.heartbeat(id, report);
    },
  });
  await host.start();
  await clock.pass(5_000);
  expect(joined).toEqual(['x2']);
  expect(host.current()?.id).toBe('x2');
  expect(host.current()?.lease.holds()).toBe(true);
  await host.close();
});

it('leaves at once when it joins while the program ends (H2)', async () => {
  const clock = new ManualClock();
  const cell = new MemoryCell({ now: () => clock.wall() });
  let joining: () => void = () => undefined;
  const { host, joined, executors } = hostOver(clock, cell, {
    async join(executor) {
      await new Promise<void>((resolve) => {
        joining = resolve;
      });
      await cell.executors.join(executor);
    },
  });
  const started = host.start();
  await host.close();
  joining();
  await clock.pass(100);
  await started;
  expect(joined).toEqual([]);
  expect(host.current()).toBeNull();
  expect((await executors.list()).map(({ status }) => status)).toEqual(['left']);
});
