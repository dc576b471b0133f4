import { MemoryCell, newProcessId } from '@baton/event-log';
import { expect, it } from 'vitest';
import { silentLogger, silentMeter } from '../contract/bus-log.fixture.js';
import { systemTimers } from '../system-timers.js';
import { TailSubscription } from './tail-subscription.js';

async function appendTo(cell: MemoryCell): Promise<string> {
  const stream = newProcessId('c1');
  const data = {
    definition: { name: 'default/a', version: 1, digest: 'd' },
    environment: null,
    inputs: {},
    priority: 5,
    labels: {},
    requester: { id: 'u', groups: [] },
  };
  const event = { type: 'ProcessRequested' as const, data };
  await cell.log.append([{ stream, expected: 'none', events: [{ id: stream.slice(3), event, metadata: {} }] }]);
  return stream;
}

it('looks again soon after something was found, and ever later while nothing comes, up to the poll (6)', async () => {
  const cell = new MemoryCell({ now: () => 0 });
  const naps: number[] = [];
  let enough = () => {};
  const subscription = new TailSubscription({
    subscriber: 'reader',
    mode: 'inbox',
    events: new Set(['*']),
    handle: async () => undefined,
    tail: cell.tail,
    delivery: { deliver: async () => 'handled' },
    timers: {
      ...systemTimers,
      sleep: async (ms, signal) => {
        naps.push(ms);
        if (naps.length === 6) await appendTo(cell);
        if (naps.length === 9) enough();
        await systemTimers.sleep(1, signal);
      },
    },
    logger: silentLogger,
    meter: silentMeter,
    pollMs: () => 250,
    batch: 100,
  });
  const enoughNaps = new Promise<void>((resolve) => (enough = resolve));
  await subscription.start();
  await enoughNaps;
  await subscription.stop();
  expect(naps.slice(0, 9)).toEqual([40, 80, 160, 250, 250, 250, 20, 40, 80]);
});

it('reads nothing while nobody would hear the hints, and begins at the end when somebody does (3)', async () => {
  const cell = new MemoryCell({ now: () => 0 });
  let wanted = false;
  let reads = 0;
  let rested = () => {};
  const heard: string[] = [];
  let told = () => {};
  const subscription = new TailSubscription({
    subscriber: 'watcher',
    mode: 'hints',
    events: new Set(['*']),
    handle: async () => undefined,
    tail: {
      read: (...given) => {
        reads += 1;
        return cell.tail.read(...given);
      },
      end: () => cell.tail.end(),
      checkpoint: async () => null,
      moveCheckpoint: async () => true,
    },
    delivery: {
      async deliver(event) {
        heard.push(event.subject);
        told();
        return 'handled';
      },
    },
    timers: {
      ...systemTimers,
      sleep: async (_, signal) => {
        rested();
        await systemTimers.sleep(1, signal);
      },
    },
    logger: silentLogger,
    meter: silentMeter,
    pollMs: () => 1,
    batch: 100,
    isWanted: () => wanted,
  });
  const append = () => appendTo(cell);
  await subscription.start();
  await append();
  const rest = () => new Promise<void>((resolve) => (rested = resolve));
  await rest();
  await rest();
  expect(reads).toBe(0);
  expect(subscription.healthy).toBe(true);
  wanted = true;
  while (reads === 0) await rest();
  const said = new Promise<void>((resolve) => (told = resolve));
  const second = await append();
  await said;
  expect(heard).toEqual([second]);
  await subscription.stop();
});
