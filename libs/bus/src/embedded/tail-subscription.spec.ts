import { MemoryCell, newProcessId } from '@baton/event-log';
import { expect, it } from 'vitest';
import { silentLogger, silentMeter } from '../contract/bus-log.fixture.js';
import { systemTimers } from '../system-timers.js';
import { TailSubscription } from './tail-subscription.js';

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
  const append = async () => {
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
  };
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
