import { statSync } from 'node:fs';
import { join } from 'node:path';
import { BatonClient } from '@baton/client';
import type { ProcessEventItem } from '@baton/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type BatonFile, isThere, StandaloneProcess, untilGone } from './standalone.process.js';

const definition = `
kind: Process
name: e2e/plug
inputs: { name: { type: string } }
operators:
  first: { type: set, value: "\${{ inputs.name }}" }
  pause: { type: delay, after: [first], for: 6s }
  approve:
    type: user-task
    after: [first]
    instructions: Go on?
    form: { type: object, properties: { go: { type: boolean } }, required: [go] }
  last: { type: set, after: [pause, approve], value: "\${{ operators.first.output }} is done" }
outputs: "\${{ operators.last.output }}"
`;
const requests = 12;

let baton: StandaloneProcess;
beforeEach(() => {
  baton = new StandaloneProcess();
});
afterEach(() => baton.remove());

const clientOf = ({ url, token }: BatonFile) => new BatonClient({ url, token });

/** Follows a process until this has happened in it. */
async function until(client: BatonClient, id: string, happened: (events: ProcessEventItem[]) => boolean) {
  const events: ProcessEventItem[] = [];
  for await (const event of client.stream(id)) {
    events.push(event);
    if (happened(events)) return;
  }
  throw new Error(`The process ended first: ${events.map((event) => event.type).join(', ')}`);
}

const ofOperator = (events: ProcessEventItem[], type: string, path: string) =>
  events.filter((event) => event.type === type && z.object({ path: z.literal(path) }).safeParse(event.data).success);
const started = (events: ProcessEventItem[], path: string) => ofOperator(events, 'OperatorStarted', path);

async function publishAndRequest(client: BatonClient): Promise<string[]> {
  await client.publish(definition);
  const names = Array.from({ length: requests }, (_, index) => `process ${index}`);
  const accepted = await Promise.all(names.map((name) => client.request({ definition: 'e2e/plug', inputs: { name } })));
  return accepted.map(({ id }) => id);
}

async function answerAll(client: BatonClient): Promise<void> {
  const { items } = await client.tasks({ limit: 100 });
  await Promise.all(items.map((task) => client.answerTask(task.id, { go: true })));
}

async function expectEndsAsIfNothingHadHappened(client: BatonClient, ids: string[]): Promise<void> {
  const ended = await Promise.all(ids.map((id) => client.waitForEnd(id)));
  expect(ended.map((process) => [process.status, process.outputs])).toEqual(
    ids.map((_, index) => ['completed', `process ${index} is done`]),
  );
  for (const id of ids) {
    const { items } = await client.events(id, { limit: 500 });
    for (const path of ['first', 'pause', 'approve', 'last']) {
      expect(ofOperator(items, 'OperatorCompleted', path), `${path} completed`).toHaveLength(1);
    }
    // What waits was triggered once: neither the delay nor the task began anew.
    for (const path of ['pause', 'approve']) expect(started(items, path), `${path} started`).toHaveLength(1);
    expect(items.filter((event) => event.type === 'TaskAnswered')).toHaveLength(1);
  }
}

describe('baton up', () => {
  it('goes on by itself after a power cut in which everything died at once', async () => {
    const before = await baton.start();
    const client = clientOf(before);
    const ids = await publishAndRequest(client);
    await Promise.all(
      ids.map((id) =>
        until(client, id, (events) => started(events, 'pause').length > 0 && started(events, 'approve').length > 0),
      ),
    );
    await baton.cutPower();

    const after = await baton.start();
    expect(after.token).toBe(before.token);
    const again = clientOf(after);
    await answerAll(again);
    await expectEndsAsIfNothingHadHappened(again, ids);
  });

  it('ends cleanly on Ctrl-C, with its PostgreSQL, and finds everything at the next start', async () => {
    const before = await baton.start(['--executors', '1']);
    const client = clientOf(before);
    const ids = await publishAndRequest(client);
    await Promise.all(ids.map((id) => until(client, id, (events) => started(events, 'approve').length > 0)));
    expect(await baton.signal('SIGINT')).toEqual({ code: 0, signal: null });
    const { postgres, intake, scheduler, executors } = before.pids;
    expect([postgres, intake, scheduler, ...executors].filter(isThere)).toEqual([]);
    expect(baton.isMarkedRunning()).toBe(false);

    const again = clientOf(await baton.start(['--executors', '1']));
    await answerAll(again);
    await expectEndsAsIfNothingHadHappened(again, ids);
  });

  it('refuses a data directory in use and names the process that holds it; what it tells is readable by its owner alone', async () => {
    const { pids } = await baton.start(['--executors', '1']);
    const second = new StandaloneProcess(baton.data);
    await expect(second.start()).rejects.toThrow(new RegExp(`ended with 1:[\\s\\S]*in use by process ${pids.parent}`));
    expect(statSync(join(baton.data, 'baton.json')).mode & 0o777).toBe(0o600);
    expect(baton.told().pids).toEqual(pids);
  });

  it('starts a killed executor again as a new incarnation, with the proof of its end, and ends with its parent', async () => {
    const before = await baton.start(['--executors', '1']);
    const client = clientOf(before);
    const [executor] = before.pids.executors;
    const [incarnation] = (await client.executors()).items;
    await baton.killAndAwaitReplacement(executor ?? 0);
    const after = baton.told();
    expect(after.pids.executors).not.toEqual(before.pids.executors);
    expect((await client.executors()).items.find((item) => item.id === incarnation?.id)?.status).toBe('lost');

    await baton.signal('SIGKILL');
    const { postgres, intake, scheduler, executors } = after.pids;
    await Promise.all([postgres, intake, scheduler, ...executors].map(untilGone));
  });
});
