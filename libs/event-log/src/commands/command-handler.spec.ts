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
      readToFold: (...given) => cell.log.readToFold(...given),
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
      readToFold: (...given) => cell.log.readToFold(...given),
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

const message = (messageId: string) => ({ kind: 'receiveMessage', messageId, name: 'm', payload: 1 }) as const;

/** A process long enough to be remembered, and what is read of it. */
async function longProcess(before: () => Promise<void> = async () => undefined) {
  const { cell, stream } = await setUp();
  const events = Array.from({ length: 600 }, (_, n) => operatorCompleted(`o${n}`));
  await cell.log.append([{ stream, expected: 3, owner: 'x1', events }]);
  const read: number[] = [];
  const counted = <T>(events: T[]): T[] => {
    read.push(events.length);
    return events;
  };
  const handler = new CommandHandler({
    log: {
      read: async (...given) => counted(await cell.log.read(...given)),
      readToFold: async (...given) => counted(await cell.log.readToFold(...given)),
      appendEach: async (...given) => {
        await before();
        return cell.log.appendEach(...given);
      },
    },
    now: () => 1_000,
    pause: async () => undefined,
  });
  return { cell, stream, handler, read };
}

it('reads a long process once, and for the next command only what is new', async () => {
  const { cell, stream, handler, read } = await longProcess();
  await handler.handle(stream, message('1'));
  expect(read.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(604);
  read.length = 0;
  await cell.log.append([{ stream, expected: 604, owner: 'x1', events: [operatorCompleted('p')] }]);
  expect(await handler.handle(stream, message('2'))).toMatchObject({ status: 'done', version: 606 });
  expect(await handler.handle(stream, message('1'))).toMatchObject({ status: 'refused' });
  expect(read).toEqual([2, 1]);
});

it('need not read again what it knew when the driver was faster than messages that came together', async () => {
  let faster: (() => Promise<unknown>) | null = null;
  const { cell, stream, handler, read } = await longProcess(async () => {
    const act = faster;
    faster = null;
    await act?.();
  });
  await handler.handle(stream, message('1'));
  read.length = 0;
  faster = () => cell.log.append([{ stream, expected: 604, owner: 'x1', events: [operatorCompleted('p')] }]);
  const results = await Promise.all(['2', '3', '4'].map((id) => handler.handle(stream, message(id))));
  expect(results.map(({ status }) => status)).toEqual(['done', 'done', 'done']);
  expect(read).toEqual([1, 2]);
  const taken = (await cell.log.read(stream, 603)).flatMap(({ type, data }) =>
    type === 'MessageReceived' ? [data.messageId] : [],
  );
  expect(taken).toEqual(['1', '2', '3', '4']);
});

it('forgets what it knew of a process whose log was restored to an earlier time', async () => {
  const { cell, stream, handler } = await longProcess();
  await handler.handle(stream, message('1'));
  cell.state.streams.get(stream)!.events.splice(603, 1, {
    ...cell.state.streams.get(stream)!.events[0]!,
    ...{ id: 'another', type: 'ProcessPaused', data: { by: { id: 'anna' } }, sequence: 604 },
  });
  expect(await handler.handle(stream, pause)).toMatchObject({ status: 'refused' });
  expect(await handler.handle(stream, message('1'))).toMatchObject({ status: 'done' });
});
