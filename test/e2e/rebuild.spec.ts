import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CommandLine } from './command.line.js';
import { EffectTarget } from './effect.target.js';
import { eventually } from './patience.js';
import { attemptsRepeated, expectPromiseKept, started, untilIn } from './process.audit.js';
import { StandaloneProcess } from './standalone.process.js';

const part = `
kind: Process
name: e2e/rebuilt-part
operators:
  answer: { type: receive, message: go, key: "\${{ process.id }}" }
`;
const whole = `
kind: Process
name: e2e/rebuilt
inputs: { target: { type: string } }
operators:
  first: { type: http, method: POST, url: "\${{ inputs.target }}/first", recovery: rerun }
  pause: { type: delay, after: [first], for: 3s }
  held: { type: http, after: [first], method: POST, url: "\${{ inputs.target }}/gate/held", recovery: rerun }
  child: { type: process, after: [first], definition: e2e/rebuilt-part, inputs: {} }
  approve:
    type: user-task
    after: [first]
    form: { type: object, properties: { go: { type: boolean } }, required: [go] }
  last: { type: http, after: [pause, held, child, approve], method: POST, url: "\${{ inputs.target }}/last", recovery: rerun }
`;
const one = `
kind: Process
name: e2e/one-at-a-time
concurrency: { key: one, limit: 1, onLimit: queue }
operators:
  ask: { type: user-task, form: { type: object } }
`;

let baton: StandaloneProcess;
let target: EffectTarget;
beforeAll(async () => {
  target = await EffectTarget.start();
  baton = new StandaloneProcess();
});
afterAll(async () => {
  await baton.remove();
  await target.close();
});

it('baton log rebuild makes heads, side rows, lists and snapshots again while processes are in flight', async () => {
  const { database } = await baton.start(['--executors', '2', '--allow-address', '127.0.0.1/32']);
  const client = baton.client();
  const commands = new CommandLine(baton.data);
  for (const text of [part, whole, one]) await client.publish(text);
  const inputs = { target: target.url };
  const wholes = await Promise.all(
    Array.from({ length: 4 }, () => client.request({ definition: 'e2e/rebuilt', inputs }).then(({ id }) => id)),
  );
  const ones = await Promise.all(
    Array.from({ length: 2 }, () => client.request({ definition: 'e2e/one-at-a-time' }).then(({ id }) => id)),
  );
  await target.untilAt('held', wholes.length);
  for (const path of ['approve', 'child', 'pause'])
    await Promise.all(wholes.map((id) => untilIn(client, id, (events) => started(events, path).length === 1)));
  const children = await eventually(async () => {
    const { items } = await client.processes({ definition: 'e2e/rebuilt-part', status: 'waiting' });
    return items.length === wholes.length && items.map(({ id }) => id);
  });
  const tasks = await eventually(async () => {
    const { items } = await client.tasks({ limit: 100 });
    return items.length === wholes.length + 1 && items.map(({ id }) => id).sort();
  });
  const all = [...wholes, ...ones, ...children].sort();

  const sql = new pg.Client({ connectionString: database });
  await sql.connect();
  await sql.query('truncate snapshot, process_view, queue, child, task, incident, receiver, job');
  await sql.query('update process set runnable_at = null, claims = 0, priority = 0');
  await sql.end();
  expect((await client.processes()).items).toEqual([]);
  expect((await client.tasks()).items).toEqual([]);
  const rebuilt = await commands.run('log', 'rebuild');
  expect(rebuilt).toMatchObject({ code: 0, err: '' });

  await eventually(async () => (await client.processes({ limit: 500 })).items.length >= all.length);
  const listed = (await client.processes({ limit: 500 })).items.map(({ id }) => id);
  expect(listed.sort()).toEqual(all);
  expect((await client.tasks({ limit: 100 })).items.map(({ id }) => id).sort()).toEqual(tasks);

  target.open('held');
  await Promise.all(children.map((id) => client.sendToProcess(id, { name: 'go' })));
  const answered = new Set<string>();
  while (answered.size < wholes.length + ones.length) {
    // One of the two that may not run at once asks only when the other has ended.
    const task = await eventually(async () => (await client.tasks()).items.find(({ id }) => !answered.has(id)));
    await client.answerTask(task.id, { go: true });
    answered.add(task.id);
  }
  const ended = await Promise.all(all.map((id) => client.waitForEnd(id)));
  expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(['completed']));
  expect(attemptsRepeated(await expectPromiseKept(client, target, all))).toBe(0);
});
