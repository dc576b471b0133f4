import { expect, it } from 'vitest';
import { completed, operatorCompleted, requested, scheduled, startedBy } from '../contract/sample-events.js';
import { type Append, BadEvent } from '../event-log.port.js';
import { MemoryCell } from '../memory/memory-cell.js';
import type { MemoryFaults } from '../memory/memory-state.js';
import { newProcessId } from '../process-id.js';
import { Appender } from './appender.js';

function setUp(faults: MemoryFaults = {}, lanes = 1) {
  const cell = new MemoryCell({ now: () => 0, faults });
  const batches: number[] = [];
  const appender = new Appender({
    log: cell.log,
    lanes,
    pause: async () => undefined,
    onBatch: ({ appends }) => batches.push(appends),
  });
  return { cell, appender, batches };
}
const create = (): Append => ({ stream: newProcessId('c1'), expected: 'none', events: [requested(), scheduled()] });

it('collects what comes while a commit is under way, and sends one append at once (2)', async () => {
  let open: (() => void) | undefined;
  let held = true;
  const { appender, batches } = setUp({
    before: (call) => (call === 'append' && held ? new Promise<void>((resolve) => (open = resolve)) : undefined),
  });
  const first = appender.append(create());
  await new Promise((resolve) => setImmediate(resolve));
  const others = Array.from({ length: 50 }, () => appender.append(create()));
  held = false;
  open!();
  const results = await Promise.all([first, ...others]);
  expect(results.every((result) => result.status === 'appended')).toBe(true);
  expect(batches).toEqual([1, 50]);
});

it('settles a lost answer by the version: what was written is not written again (3)', async () => {
  let fates: ('answer-lost' | 'lost' | 'twice')[] = ['answer-lost', 'lost', 'twice'];
  const { cell, appender } = setUp({ fateOf: () => fates.shift() ?? 'none' });
  const append = create();
  expect(await appender.append(append)).toMatchObject({ status: 'appended', version: 2 });
  expect(await cell.log.read(append.stream)).toHaveLength(2);
  fates = ['lost', 'lost'];
  const next = { stream: append.stream, expected: 2, owner: null, events: [startedBy('x1')] };
  expect(await appender.append(next)).toMatchObject({ status: 'appended', version: 3 });
  expect(await cell.log.read(append.stream)).toHaveLength(3);
});

it('tells an append that was lost and overtaken that it is refused (3)', async () => {
  const append = create();
  let lose = false;
  const { cell, appender } = setUp({
    fateOf: () => {
      if (!lose) return 'none';
      lose = false;
      void cell.log.append([{ stream: append.stream, expected: 2, owner: null, events: [startedBy('x9')] }]);
      return 'lost';
    },
  });
  await appender.append(append);
  lose = true;
  const result = await appender.append({ ...append, expected: 2, owner: null, events: [startedBy('x1')] });
  expect(result).toEqual({ status: 'refused' });
  expect((await cell.log.heads([append.stream])).get(append.stream)?.owner).toBe('x9');
});

it('refuses one bad event alone (4), and a second append of a stream in flight (1)', async () => {
  const { appender } = setUp({}, 3);
  const appends = Array.from({ length: 9 }, create);
  appends[4]!.events.push(operatorCompleted('a', '\u0000'));
  const results = await Promise.allSettled(appends.map((append) => appender.append(append)));
  expect(results.map((result) => result.status)).toEqual(appends.map((_, n) => (n === 4 ? 'rejected' : 'fulfilled')));
  expect((results[4] as PromiseRejectedResult).reason).toBeInstanceOf(BadEvent);
  const again = { ...appends[0]!, expected: 2, events: [completed()] };
  const first = appender.append(again);
  await expect(appender.append(again)).rejects.toThrow(/in flight/);
  expect((await first).status).toBe('appended');
  expect(appender.pending).toBe(0);
});
