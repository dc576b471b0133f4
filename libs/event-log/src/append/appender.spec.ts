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

/** A log whose commits are let go one by one, and a clock that stands still. */
function heldBack() {
  const cell = new MemoryCell({ now: () => 0 });
  const commits: (() => void)[] = [];
  const sent: number[] = [];
  const timers = new Set<() => void>();
  const appender = new Appender({
    log: {
      readMany: (streams) => cell.log.readMany(streams),
      appendEach: async (appends) => {
        sent.push(appends.length);
        await new Promise<void>((resolve) => commits.push(resolve));
        return cell.log.appendEach(appends);
      },
    },
    worthAnother: 10,
    later: (_, call) => {
      timers.add(call);
      return () => timers.delete(call);
    },
  });
  const step = () => new Promise((resolve) => setImmediate(resolve));
  return { appender, commits, sent, timers, step };
}

it('sends another statement beside the one under way only when it is worth it (5)', async () => {
  const { appender, commits, sent, timers, step } = heldBack();
  const all = [appender.append(create())];
  await step();
  for (let n = 0; n < 9; n += 1) all.push(appender.append(create()));
  await step();
  expect(sent).toEqual([1]);
  all.push(appender.append(create()));
  await step();
  expect(sent).toEqual([1, 10]);
  expect(timers.size).toBe(0);
  // No third one, however much waits.
  for (let n = 0; n < 20; n += 1) all.push(appender.append(create()));
  await step();
  expect(sent).toEqual([1, 10]);
  for (const at of [0, 1, 2]) {
    commits[at]!();
    await step();
    await step();
  }
  expect(sent).toEqual([1, 10, 20]);
  expect((await Promise.all(all)).every((result) => result.status === 'appended')).toBe(true);
});

it('does not keep a few waiting for a statement that takes long (5)', async () => {
  const { appender, commits, sent, timers, step } = heldBack();
  const slow = appender.append(create());
  await step();
  const quick = appender.append(create());
  await step();
  expect(sent).toEqual([1]);
  for (const call of [...timers]) call();
  expect(sent).toEqual([1, 1]);
  commits[1]!();
  expect((await quick).status).toBe('appended');
  commits[0]!();
  expect((await slow).status).toBe('appended');
});

it('stops while something waits beside a statement under way: it is told, and no timer is left', async () => {
  const { appender, commits, timers, step } = heldBack();
  const first = appender.append(create());
  await step();
  const waiting = appender.append(create());
  appender.stop();
  await expect(waiting).rejects.toThrow(/stopped/);
  expect(timers.size).toBe(0);
  commits[0]!();
  expect((await first).status).toBe('appended');
});

it('sends as two statements what is worth two, and what is not as one (6)', async () => {
  const two = setUp({}, 2);
  await Promise.all(Array.from({ length: 81 }, () => two.appender.append(create())));
  expect(two.batches).toEqual([41, 40]);
  const one = setUp({}, 2);
  await Promise.all(Array.from({ length: 79 }, () => one.appender.append(create())));
  expect(one.batches).toEqual([79]);
  const alone = setUp({}, 1);
  await Promise.all(Array.from({ length: 81 }, () => alone.appender.append(create())));
  expect(alone.batches).toEqual([81]);
});
