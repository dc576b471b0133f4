import { expect, it } from 'vitest';
import { completed, operatorCompleted, requested, scheduled, startedBy } from '../contract/sample-events.js';
import { BadEvent } from '../event-log.port.js';
import { MemoryCell } from '../memory/memory-cell.js';
import type { MemoryFaults } from '../memory/memory-state.js';
import { newProcessId } from '../process-id.js';
import { CommandHandler } from './command-handler.js';

async function setUp(faults: MemoryFaults = {}) {
  const cell = new MemoryCell({ now: () => 1_000, faults });
  const hints: string[] = [];
  cell.wakeUp.listen((topic) => hints.push(topic));
  const stream = newProcessId('c1');
  await cell.log.append([{ stream, expected: 'none', events: [requested(), scheduled()] }]);
  await cell.log.append([{ stream, expected: 2, owner: null, events: [startedBy('x1')] }]);
  const handler = new CommandHandler({
    log: cell.log,
    now: () => 1_000,
    wakeUp: cell.wakeUp,
    pause: async () => undefined,
  });
  const count = async (type: string) => (await cell.log.read(stream)).filter((event) => event.type === type).length;
  return { cell, stream, handler, hints, count };
}
const cancel = { kind: 'cancel', by: { id: 'anna' } } as const;

it('appends what the command decides, to a process that somebody else drives, and wakes it', async () => {
  const { handler, stream, hints, count } = await setUp();
  expect(await handler.handle(stream, cancel)).toMatchObject({ status: 'done', version: 4 });
  expect(await count('ProcessCancelRequested')).toBe(1);
  expect(hints).toEqual(['runnable', 'owned']);
});

it('decides again when the driver was faster', async () => {
  const faults: MemoryFaults = {};
  const { cell, handler, stream, count } = await setUp(faults);
  let faster = 2;
  faults.before = async (call) => {
    if (call !== 'append' || faster === 0) return;
    faster -= 1;
    const version = (await cell.log.heads([stream])).get(stream)!.version;
    const own = { stream, expected: version, owner: 'x1', events: [operatorCompleted(`o${version}`)] };
    const rest = faster;
    faster = 0;
    await cell.log.append([own]);
    faster = rest;
  };
  expect((await handler.handle(stream, cancel)).status).toBe('done');
  expect(await count('ProcessCancelRequested')).toBe(1);
  expect(await count('OperatorCompleted')).toBe(2);
});

it('appends once although the answer was lost', async () => {
  const fates: ('answer-lost' | 'lost')[] = [];
  const { handler, stream, count } = await setUp({ fateOf: () => fates.shift() ?? 'none' });
  fates.push('lost', 'answer-lost');
  expect((await handler.handle(stream, cancel)).status).toBe('done');
  expect(await count('ProcessCancelRequested')).toBe(1);
});

it('tells what is unknown, and refuses with a reason what no longer fits', async () => {
  const { cell, handler, stream } = await setUp();
  expect(await handler.handle(newProcessId('c1'), cancel)).toEqual({ status: 'not-found' });
  await cell.log.append([{ stream, expected: 3, owner: 'x1', events: [completed()] }]);
  const result = await handler.handle(stream, cancel);
  expect(result.status).toBe('refused');
  expect(result.status === 'refused' && result.refusal.reason).toMatch(/\w/);
});

it('refuses to decide about what a later release wrote, and appends nothing', async () => {
  const { cell, handler, stream } = await setUp();
  const later = { ...operatorCompleted('a'), schemaVersion: 99 };
  await cell.log.append([{ stream, expected: 3, owner: 'x1', events: [later] }]);
  expect(await handler.handle(stream, cancel)).toMatchObject({ status: 'refused', refusal: { code: 'conflict' } });
  expect(await cell.log.read(stream, 4)).toEqual([]);
});

const pause = { kind: 'pause', by: { id: 'anna' } } as const;
const resume = { kind: 'resume', by: { id: 'anna' } } as const;

it('decides commands that come together one after the other, and appends them in one', async () => {
  const { cell, handler, stream, count } = await setUp();
  let appends = 0;
  const together = new CommandHandler({
    log: {
      read: (...given) => cell.log.read(...given),
      appendEach: (...given) => {
        appends += 1;
        return cell.log.appendEach(...given);
      },
    },
    now: () => 1_000,
    pause: async () => undefined,
  });
  const results = await Promise.all(
    [pause, pause, resume, pause, cancel].map((command) => together.handle(stream, command)),
  );
  expect(results.map((result) => (result.status === 'done' ? result.version : result.status))).toEqual([
    4,
    'refused',
    5,
    6,
    7,
  ]);
  // The first left at once; the others met behind it.
  expect(appends).toBe(2);
  expect(await count('ProcessPaused')).toBe(2);
  expect((await handler.handle(stream, cancel)).status).toBe('refused');
});

it('decides all of them again when the driver was faster', async () => {
  const faults: MemoryFaults = {};
  const { cell, handler, stream, count } = await setUp(faults);
  let appends = 0;
  faults.before = async (call) => {
    if (call !== 'append') return;
    appends += 1;
    if (appends !== 2) return;
    const version = (await cell.log.heads([stream])).get(stream)!.version;
    await cell.log.append([{ stream, expected: version, owner: 'x1', events: [operatorCompleted('o')] }]);
  };
  const results = await Promise.all([pause, resume, pause].map((command) => handler.handle(stream, command)));
  expect(results.map((result) => result.status)).toEqual(['done', 'done', 'done']);
  expect([await count('ProcessPaused'), await count('ProcessResumed')]).toEqual([2, 1]);
  expect(await count('OperatorCompleted')).toBe(1);
});

it('lets the others through when one of them cannot be stored', async () => {
  const { cell, stream, count } = await setUp();
  const handler = new CommandHandler({
    log: {
      read: (...given) => cell.log.read(...given),
      appendEach: async (appends) =>
        appends.some(({ events }) => events.some(({ event }) => event.type === 'ProcessResumed'))
          ? [{ status: 'bad', error: new BadEvent(stream, '22P05', 'cannot be stored') }]
          : cell.log.appendEach(appends),
    },
    now: () => 1_000,
    pause: async () => undefined,
  });
  const results = await Promise.allSettled([pause, resume, cancel].map((command) => handler.handle(stream, command)));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await count('ProcessCancelRequested')).toBe(1);
});
