import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EffectTarget } from './effect.target.js';
import { attemptsRepeated, expectPromiseKept, started, untilIn } from './process.audit.js';
import { isThere, pidsOf, StandaloneProcess, untilGone } from './standalone.process.js';

const definition = `
kind: Process
name: e2e/plug
inputs: { target: { type: string } }
operators:
  first: { type: http, method: POST, url: "\${{ inputs.target }}/first", recovery: rerun }
  pause: { type: delay, after: [first], for: 3s }
  approve:
    type: user-task
    after: [first]
    form: { type: object, properties: { go: { type: boolean } }, required: [go] }
  last: { type: http, after: [pause, approve], method: POST, url: "\${{ inputs.target }}/last", recovery: rerun }
`;
const options = ['--executors', '1', '--allow-address', '127.0.0.1/32'];

let baton: StandaloneProcess;
let target: EffectTarget;
beforeEach(async () => {
  target = await EffectTarget.start();
  baton = new StandaloneProcess();
});
afterEach(async () => {
  await baton.remove();
  await target.close();
});

describe('baton up', () => {
  it('ends cleanly on Ctrl-C, with its PostgreSQL, and the next start goes on', async () => {
    const before = await baton.start(options);
    const client = baton.client();
    await client.publish(definition);
    const { id } = await client.request({ definition: 'e2e/plug', inputs: { target: target.url } });
    await untilIn(client, id, (events) => started(events, 'approve').length === 1);
    expect(await baton.signal('SIGINT')).toEqual({ code: 0, signal: null });
    expect(pidsOf(before).filter(isThere)).toEqual([]);
    expect(baton.isMarkedRunning()).toBe(false);

    await baton.start(options);
    const again = baton.client();
    const { items } = await again.tasks();
    expect(items).toHaveLength(1);
    await again.answerTask(items[0]?.id ?? '', { go: true });
    expect((await again.waitForEnd(id)).status).toBe('completed');
    expect(attemptsRepeated(await expectPromiseKept(again, target, [id]))).toBe(0);
  });

  it('refuses a data directory in use and names its holder, tells its secrets to its owner alone, and takes all with it when it is killed', async () => {
    const told = await baton.start(options);
    const second = new StandaloneProcess(baton.data);
    await expect(second.start()).rejects.toThrow(
      new RegExp(`ended with 1:[\\s\\S]*in use by process ${told.pids.parent}`),
    );
    expect(statSync(join(baton.data, 'baton.json')).mode & 0o777).toBe(0o600);
    expect(baton.told().pids).toEqual(told.pids);

    await baton.signal('SIGKILL');
    await Promise.all(pidsOf(told).map(untilGone));
  });
});
