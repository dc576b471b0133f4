import { afterAll, beforeAll, expect, it } from 'vitest';
import { EffectTarget } from './effect.target.js';
import { expectPromiseKept, started, untilIn } from './process.audit.js';
import { StandaloneProcess } from './standalone.process.js';

const part = `
kind: Process
name: e2e/part
inputs: { target: { type: string } }
operators:
  wait: { type: delay, for: 1s }
  act: { type: http, after: [wait], method: POST, url: "\${{ inputs.target }}/gate/child", recovery: rerun }
outputs: done
`;
const whole = `
kind: Process
name: e2e/whole
inputs: { target: { type: string } }
operators:
  first: { type: http, method: POST, url: "\${{ inputs.target }}/first", recovery: rerun }
  pause: { type: delay, after: [first], for: 5s }
  approve:
    type: user-task
    after: [first]
    form: { type: object, properties: { go: { type: boolean } }, required: [go] }
    expect: output.go
    deadline: 1h
  each:
    type: http
    after: [first]
    forEach: { in: [a, b, c, d], as: item, key: "\${{ item }}", maxParallel: 2 }
    method: POST
    url: "\${{ inputs.target }}\${{ item == 'c' ? '/gate/loop' : '/each' }}"
    recovery: rerun
  child: { type: process, after: [first], definition: e2e/part, inputs: { target: "\${{ inputs.target }}" } }
  last: { type: http, after: [pause, approve, each, child], method: POST, url: "\${{ inputs.target }}/last", recovery: rerun }
outputs: { asked: "\${{ operators.approve.output.go }}", items: "\${{ size(operators.each.output) }}", child: "\${{ operators.child.output }}" }
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

it('after a power cut everything goes on by itself: approvals and delays as they were, nothing that is done is done again', async () => {
  const options = ['--executors', '2', '--allow-address', '127.0.0.1/32'];
  const before = await baton.start(options);
  const client = baton.client();
  await client.publish(part);
  await client.publish(whole);
  const requests = Array.from({ length: 5 }, () => ({ definition: 'e2e/whole', inputs: { target: target.url } }));
  const ids = (await client.requestMany(requests)).map((answer) => ('id' in answer ? answer.id : ''));
  // In every process: one item of the loop and the child's effect are under way, the approval is open, the delay runs.
  await Promise.all([target.untilAt('loop', 5), target.untilAt('child', 5)]);
  await Promise.all(ids.map((id) => untilIn(client, id, (events) => started(events, 'approve').length === 1)));
  const tasks = (await client.tasks({ limit: 100 })).items.map(({ id }) => id);
  expect(tasks).toHaveLength(5);

  await baton.cutPower();
  target.open('loop');
  target.open('child');
  const after = await baton.start(options);
  expect(after.token).toBe(before.token);

  const again = baton.client();
  expect((await again.tasks({ limit: 100 })).items.map(({ id }) => id).sort()).toEqual(tasks.sort());
  await Promise.all(tasks.map((id) => again.answerTask(id, { go: true })));
  const ended = await Promise.all(ids.map((id) => again.waitForEnd(id)));
  for (const process of ended) {
    expect(process.status, JSON.stringify(process.error)).toBe('completed');
    expect(process.outputs).toEqual({ asked: true, items: 4, child: 'done' });
  }
  const children = (await again.processes({ definition: 'e2e/part' })).items.map(({ id }) => id);
  expect(children).toHaveLength(5);
  await expectPromiseKept(again, target, children);
  const events = await expectPromiseKept(again, target, ids);
  for (const path of ['first', 'pause', 'approve', 'each[a]', 'each[b]', 'child', 'last'])
    expect(started(events, path), path).toHaveLength(5);
  for (const fired of events.filter((event) => event.type === 'TimerFired' && event.data.path === 'pause')) {
    const [begun] = started(events, 'pause').filter((event) => event.stream === fired.stream);
    expect(fired.type === 'TimerFired' && fired.data.dueAt).toBe(
      begun?.data.waitsFor?.kind === 'timer' && begun.data.waitsFor.dueAt,
    );
  }
});
