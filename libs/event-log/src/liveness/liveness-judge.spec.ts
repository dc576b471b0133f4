import { expect, it } from 'vitest';
import { requested, scheduled, startedBy } from '../contract/sample-events.js';
import { MemoryCell } from '../memory/memory-cell.js';
import { newProcessId } from '../process-id.js';

async function cluster() {
  let now = 1_000_000;
  const cell = new MemoryCell({ now: () => now });
  const { executors } = cell;
  const beat = (id: string) => executors.heartbeat(id, { driven: 1, draining: false, progress: 0 });
  for (const id of ['a', 'b']) {
    await executors.join({ id, host: 'h', pid: 1, version: '1', capacity: 10, leaseMs: 3_000 });
    await executors.holdLock(id);
    const stream = newProcessId('c1');
    await cell.log.append([{ stream, expected: 'none', events: [requested(), scheduled()] }]);
    await cell.log.append([{ stream, expected: 2, owner: null, events: [startedBy(id)] }]);
  }
  /** Seconds go by; those named heartbeat, every peer looks. */
  async function pass(seconds: number, beating: string[]): Promise<string[]> {
    const lost: string[] = [];
    for (let s = 0; s < seconds; s += 1) {
      now += 1_000;
      for (const id of beating) await beat(id);
      for (const id of beating) lost.push(...(await executors.detectLost(id)).map((x) => `${x.id}:${x.proof}`));
    }
    return [...new Set(lost)];
  }
  return { cell, executors, pass, jump: (ms: number) => (now += ms) };
}

it('suspects a free lock, and counts it at the second look with no heartbeat between', async () => {
  const { cell, executors, pass } = await cluster();
  await pass(5, ['a', 'b']);
  executors.dropLock('b');
  expect(await pass(1, ['a'])).toEqual([]);
  expect(await pass(1, ['a'])).toEqual(['b:null']);
  expect(await executors.provenOver(['b'])).toEqual(new Set());
  expect((await executors.heartbeat('b', { driven: 0, draining: false, progress: 0 })).alive).toBe(false);
  expect((await cell.claims.lookForOrphans(9)).map((orphan) => orphan.owner)).toEqual(['b']);
  await pass(3, ['a']);
  expect(await executors.provenOver(['b', 'a'])).toEqual(new Set(['b']));
});

it('does not count a second look that comes too soon for a heartbeat to have been written', async () => {
  const { executors, pass, jump } = await cluster();
  await pass(5, ['a', 'b']);
  executors.dropLock('b');
  for (let look = 0; look < 5; look += 1) {
    expect(await executors.detectLost('a')).toEqual([]);
    jump(40);
  }
  jump(100);
  expect((await executors.detectLost('a')).map(({ id }) => id)).toEqual(['b']);
});

it('says when what it suspects will count, and nothing when it suspects nobody or is late', async () => {
  const { executors, pass, jump } = await cluster();
  await pass(5, ['a', 'b']);
  expect(executors.suspicionCountsInMs('a')).toBeNull();
  executors.dropLock('b');
  expect(await executors.detectLost('a')).toEqual([]);
  expect(executors.suspicionCountsInMs('a')).toBe(250);
  jump(100);
  expect(executors.suspicionCountsInMs('a')).toBe(150);
  // Who may judge no more would else look again and again.
  jump(150);
  expect(executors.suspicionCountsInMs('a')).toBeNull();
  expect((await executors.detectLost('a')).map(({ id }) => id)).toEqual(['b']);
  expect(executors.suspicionCountsInMs('a')).toBeNull();
});

it('does not take a lock that was cut for death while heartbeats come', async () => {
  const { executors, pass } = await cluster();
  await pass(5, ['a', 'b']);
  executors.dropLock('b');
  expect(await pass(10, ['a', 'b'])).toEqual([]);
});

it('takes a lease that ran out for a proof', async () => {
  const { executors, pass } = await cluster();
  await pass(5, ['a', 'b']);
  expect(await pass(5, ['a'])).toContain('b:lease');
  expect(await executors.provenOver(['b'])).toEqual(new Set(['b']));
});

it('makes nobody lost when the database restarted and freed all locks, nor when it was away for long', async () => {
  const { executors, pass, jump } = await cluster();
  await pass(5, ['a', 'b']);
  for (let n = 0; n < 10; n += 1) {
    jump(n * 1_000);
    executors.databaseRestarted();
    expect(await pass(1, ['a', 'b'])).toEqual([]);
    await executors.holdLock('a');
    await executors.holdLock('b');
    expect(await pass(2, ['a', 'b'])).toEqual([]);
  }
  jump(60_000);
  expect(await pass(1, ['a'])).toEqual([]);
  expect(await pass(5, ['a', 'b'])).toEqual([]);
});

it('judges nobody until its own heartbeats were written for a whole lease', async () => {
  const { executors, pass, jump } = await cluster();
  await pass(5, ['a', 'b']);
  // b alone was frozen; it wakes and finds a silent for as long as itself was away.
  await pass(4, ['a']);
  jump(4_000);
  expect(await executors.detectLost('b')).toEqual([]);
});

it('takes the word of a supervisor and of the executor itself at once', async () => {
  const { executors, pass } = await cluster();
  await executors.recordExit('b');
  expect(await executors.provenOver(['b'])).toEqual(new Set(['b']));
  expect(await pass(1, ['a'])).toEqual(['b:exit']);
  await executors.leave('a');
  expect(await executors.provenOver(['a'])).toEqual(new Set(['a']));
});
