import type { BatonClient } from '@baton/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EffectTarget } from './effect.target.js';
import { eventually } from './patience.js';
import { attemptsRepeated, countOf, expectPromiseKept, started, untilIn } from './process.audit.js';
import { type BatonFile, StandaloneProcess } from './standalone.process.js';

const definition = `
kind: Process
name: e2e/work
inputs: { target: { type: string }, gate: { type: string, default: none } }
operators:
  first: { type: http, method: POST, url: "\${{ inputs.target }}/first", recovery: rerun }
  middle: { type: http, after: [first], method: POST, url: "\${{ inputs.target }}/gate/\${{ inputs.gate }}", recovery: rerun }
  last: { type: http, after: [middle], method: POST, url: "\${{ inputs.target }}/last", recovery: rerun }
`;

let baton: StandaloneProcess;
let target: EffectTarget;
let client: BatonClient;
beforeAll(async () => {
  target = await EffectTarget.start();
  target.open('none');
  baton = new StandaloneProcess();
  await baton.start(['--executors', '3', '--allow-address', '127.0.0.1/32'], { BATON_LEASE_MS: '2000' });
  client = baton.client({ patienceMs: 120_000 });
  await client.publish(definition);
});
afterAll(async () => {
  await baton.remove();
  await target.close();
});

function request(gate = 'none'): Promise<{ id: string }> {
  return client.request({ definition: 'e2e/work', inputs: { target: target.url, gate } });
}

/** Three callers, each with one request after the other, until it is over. */
async function underLoad(disturb: () => Promise<void>): Promise<string[]> {
  const ids: string[] = [];
  let over = false;
  const load = async () => {
    while (!over) {
      const { id } = await request();
      ids.push(id);
      await client.waitForEnd(id);
    }
  };
  const callers = [load(), load(), load()];
  try {
    await disturb();
  } finally {
    over = true;
    await Promise.all(callers);
  }
  return ids;
}

async function expectAllCompleted(ids: readonly string[]) {
  const ended = await Promise.all(ids.map((id) => client.waitForEnd(id)));
  expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(['completed']));
  return expectPromiseKept(client, target, ids);
}

const executorOf = async (pid: number) => (await client.executors()).items.find((item) => item.pid === pid);

describe('requests come in through a client that waits', () => {
  it('nothing is lost when executor, intake and scheduler are killed in turn; each is started again and baton.json says so', async () => {
    const { pids } = baton.told();
    let told: BatonFile = baton.told();
    const ids = await underLoad(async () => {
      await request().then(({ id }) => client.waitForEnd(id));
      for (const pid of [pids.executors[0], pids.intake, pids.scheduler]) {
        told = await baton.replace(pid ?? 0, 'SIGKILL');
        await request().then(({ id }) => client.waitForEnd(id));
      }
    });
    expect(told.pids.executors).toHaveLength(3);
    expect(told.pids.executors).not.toContain(pids.executors[0]);
    expect([told.pids.intake, told.pids.scheduler]).not.toEqual([pids.intake, pids.scheduler]);
    await expectAllCompleted(ids);
    expect((await executorOf(pids.executors[0] ?? 0))?.status).toBe('lost');
    await eventually(async () => {
      const listed = new Set<string>();
      for await (const { id } of client.allProcesses({ definition: 'e2e/work', limit: 500 })) listed.add(id);
      return ids.every((id) => listed.has(id));
    });
  });

  it('a rolling restart of the executors repeats nothing and takes nothing over', async () => {
    const before = baton.told().pids.executors;
    const ids = await underLoad(async () => {
      for (const pid of before) {
        await baton.replace(pid, 'SIGTERM');
        await request().then(({ id }) => client.waitForEnd(id));
      }
    });
    const events = await expectAllCompleted(ids);
    expect(attemptsRepeated(events)).toBe(0);
    expect(countOf(events, 'ProcessTakenOver')).toBe(0);
    for (const pid of before) expect((await executorOf(pid))?.status).toBe('left');
  });

  it('an executor frozen beyond its lease is taken over once, writes nothing when it wakes, and comes back as another', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => request('frozen').then(({ id }) => id)));
    await target.untilAt('frozen', ids.length);
    const owners = await Promise.all(ids.map(async (id) => (await client.process(id)).owner));
    const frozen = (await client.executors()).items.find(({ id }) => owners.includes(id));
    const mine = ids.filter((_, index) => owners[index] === frozen?.id);
    process.kill(frozen?.pid ?? 0, 'SIGSTOP');
    await Promise.all(mine.map((id) => untilIn(client, id, (events) => countOf(events, 'ProcessTakenOver') === 1)));
    target.open('frozen'); // the answer to the first attempt is there when it wakes
    process.kill(frozen?.pid ?? 0, 'SIGCONT');
    const events = await expectAllCompleted(ids);
    expect(countOf(events, 'ProcessTakenOver')).toBe(mine.length);
    const took = events
      .filter((event) => event.type === 'ProcessTakenOver')
      .map(({ sequence, stream }) => [stream, sequence]);
    for (const [stream, sequence] of took)
      expect(
        events.filter(
          (event) =>
            event.stream === stream && event.sequence > Number(sequence) && event.metadata.executor === frozen?.id,
        ),
      ).toEqual([]);
    for (const path of ['first', 'last']) expect(started(events, path), path).toHaveLength(ids.length);
    for (;;) {
      const back = (await client.executors()).items.find(
        ({ pid, status }) => pid === frozen?.pid && status === 'alive',
      );
      if (back && back.id !== frozen?.id) break;
      await request().then(({ id }) => client.waitForEnd(id));
    }
  });
});

describe('baton up --no-restart', () => {
  it('leaves a dead executor dead, and the others end its processes', async () => {
    const alone = new StandaloneProcess();
    try {
      const { pids } = await alone.start(['--executors', '2', '--no-restart', '--allow-address', '127.0.0.1/32']);
      const there = alone.client();
      await there.publish(definition);
      const inputs = { target: target.url, gate: 'left' };
      const { id } = await there.request({ definition: 'e2e/work', inputs });
      await target.untilAt('left', 1);
      const owner = (await there.process(id)).owner;
      const driving = (await there.executors()).items.find((item) => item.id === owner)?.pid ?? 0;
      process.kill(driving, 'SIGKILL');
      const told = await alone.until((now) => now.pids.executors.length === 1);
      expect(told.pids.executors).toEqual(pids.executors.filter((pid) => pid !== driving));
      target.open('left');
      expect((await there.waitForEnd(id)).status).toBe('completed');
      await expectPromiseKept(there, target, [id]);
      expect(alone.printed).toMatch(/was killed by SIGKILL\. It stays dead\./);
      expect(alone.told().pids).toEqual(told.pids);
    } finally {
      await alone.remove();
    }
  });
});
