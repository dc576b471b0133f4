import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CommandLine } from './command.line.js';
import { EffectTarget } from './effect.target.js';
import { eventually } from './patience.js';
import { StandaloneProcess } from './standalone.process.js';

const secret = 'do-not-show-me-4711';
const files = {
  'broken.yaml':
    'kind: Process\nname: shop/broken\noperators:\n  a: { type: set, value: 1 }\n  b: { type: htpp, after: [a] }\n',
  'greet.yaml': `
kind: Process
name: shop/greet
inputs: { who: { type: string } }
operators: { loud: { type: shout, text: "hello \${{ inputs.who }}" } }
outputs: "\${{ operators.loud.output.text }}"
`,
  'fails.yaml': 'kind: Process\nname: shop/fails\noperators: { no: { type: fail, message: sold out } }\n',
  'order.yaml': `
kind: Process
name: shop/order
environments: [test]
inputs: { amount: { type: number } }
operators:
  pay:
    type: http
    method: POST
    url: "\${{ environment.target }}/pay"
    auth: { bearer: "\${{ secrets.shop-key }}" }
    recovery: rerun
  approve:
    type: user-task
    after: [pay]
    instructions: "Send it for \${{ inputs.amount }}?"
    form: { type: object, properties: { go: { type: boolean } }, required: [go] }
    expect: output.go
  delivered: { type: receive, after: [approve], message: delivered }
outputs: "\${{ operators.delivered.output }}"
`,
  'doubtful.yaml': `
kind: Process
name: shop/doubtful
environments: [test]
operators:
  charge: { type: http, method: POST, url: "\${{ environment.target }}/gate/doubt", recovery: ask }
outputs: "\${{ operators.charge.output }}"
`,
  'operators.mjs': `
export const operators = ({ z, defineOperator }) => [
  defineOperator({
    descriptor: {
      type: 'shout',
      class: 'effect',
      summary: 'Says it loud.',
      fields: z.object({ text: z.string() }),
      defaultRecovery: () => 'rerun',
    },
    async run(context) {
      context.begin();
      return { status: 'completed', output: { text: context.fields.text.toUpperCase() } };
    },
  }),
];
`,
};
const item = z.object({ id: z.string(), process: z.string() });
const named = z.object({ id: z.string(), status: z.string() });

let baton: StandaloneProcess;
let target: EffectTarget;
let folder: string;
let cli: CommandLine;
const file = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'baton-e2e-cli-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(file(name), content);
  target = await EffectTarget.start();
  const environment = { name: 'test', variables: { target: target.url }, secrets: { 'shop-key': secret } };
  writeFileSync(file('environment.json'), JSON.stringify(environment));
  baton = new StandaloneProcess();
  await baton.start(['--executors', '2', '--operators', file('operators.mjs'), '--allow-address', '127.0.0.1/32']);
  cli = new CommandLine(baton.data);
}, 180_000);
afterAll(async () => {
  await baton.remove();
  await target.close();
  rmSync(folder, { recursive: true, force: true });
});

const idOf = async (...args: string[]) => (await cli.run('run', ...args)).out;
const show = async (id: string) => named.parse(await cli.json('show', id));
const untilStatus = (id: string, status: string) => eventually(async () => (await show(id)).status === status);

describe('the command line, as a stranger uses it', () => {
  it('tells what is wrong with a definition: place, fault and remedy, with and without a server', async () => {
    const checked = await cli.run('check', file('broken.yaml'));
    expect(checked.code).toBe(2);
    expect(checked.out).toMatch(/broken\.yaml:5:\d+ operators\.b\.type: There is no operator type "htpp"/);
    expect(checked.out).toContain('Did you mean "http"?');
    const published = await cli.run('publish', file('broken.yaml'));
    expect(published.code).toBe(2);
    expect(published.err).toMatch(/5:\d+ operators\.b\.type: There is no operator type "htpp".* Did you mean "http"\?/);
    const own = await cli.run('check', '--operators', file('operators.mjs'), file('greet.yaml'));
    expect(own).toMatchObject({ code: 0, out: expect.stringContaining('shop/greet') });
  });

  it('publishes, runs to either end, and says so by its exit code', async () => {
    const said = await cli.run('publish', file('greet.yaml'), file('fails.yaml'));
    expect(said).toMatchObject({ code: 0, out: expect.stringContaining('shop/greet v1') });
    expect(await cli.json('definition', 'list')).toMatchObject([{ name: 'shop/fails' }, { name: 'shop/greet' }]);
    expect((await cli.run('definition', 'show', 'shop/greet')).out.trim()).toBe(files['greet.yaml'].trim());
    const done = await cli.run('run', 'shop/greet', '--input', 'who=ann', '--wait');
    expect(done).toMatchObject({ code: 0, out: expect.stringContaining('ProcessCompleted') });
    expect(await cli.json('run', 'shop/greet', '--input', 'who=bob', '--wait')).toMatchObject({ outputs: 'HELLO BOB' });
    const failed = await cli.run('run', 'shop/fails', '--wait');
    expect(failed).toMatchObject({ code: 1, out: expect.stringContaining('sold out') });
    const [one] = z.array(named).parse(await cli.json('ps', '--status', 'failed'));
    expect((await cli.run('show', one?.id ?? '')).out).toContain('sold out');
    expect(await cli.run('retry', one?.id ?? '')).toMatchObject({ code: 0 });
    const log = await cli.run('log', one?.id ?? '', '--follow');
    expect(log.out).toContain('ProcessRetried');
    const wrong = await cli.run('run', 'shop/greet');
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('who') });
  });

  it('leads an order through secret, approval and message, and never shows the secret', async () => {
    const set = await cli.run('environment', 'set', file('environment.json'));
    expect(set).toMatchObject({ code: 0, out: expect.stringContaining('shop-key') });
    expect(await cli.json('environment', 'list')).toMatchObject([{ name: 'test', secrets: ['shop-key'] }]);
    expect((await cli.run('publish', file('order.yaml'))).code).toBe(0);
    const id = await idOf('shop/order', '-e', 'test', '-i', 'amount=12');
    const follow = cli.run('log', id, '-f');
    const [task] = await eventually(async () => {
      const tasks = z.array(item).parse(await cli.json('task', 'list', '--process', id));
      return tasks.length === 1 && tasks;
    });
    expect((await cli.run('why', id)).out).toMatch(/approve/);
    const empty = await cli.run('task', 'answer', task?.id ?? '', '{}');
    expect(empty).toMatchObject({ code: 2, err: expect.stringContaining('go') });
    expect((await cli.run('task', 'answer', task?.id ?? '', '--set', 'go=true')).code).toBe(0);
    const again = await cli.run('task', 'answer', task?.id ?? '', '--set', 'go=true');
    expect(again.code, again.err).toBe(1);
    const sent = await cli.run('message', id, 'delivered', '{"at":"the door"}');
    expect(sent.code, sent.err).toBe(0);
    expect((await follow).out).toContain('ProcessCompleted');
    expect(await cli.json('show', id)).toMatchObject({ status: 'completed', outputs: { at: 'the door' } });
    expect(target.entries().find((entry) => entry.process === id)?.authorization).toBe(`Bearer ${secret}`);
    const shown = [await cli.run('environment', 'show', 'test'), await cli.run('show', id), await cli.run('log', id)];
    shown.push(await cli.run('log', id, '--json'), await cli.run('show', id, '--json'));
    for (const { out, err } of shown) expect(out + err).not.toContain(secret);
    const logs = join(baton.data, 'logs');
    for (const name of readdirSync(logs)) expect(readFileSync(join(logs, name), 'utf8')).not.toContain(secret);
  });

  it('pauses, resumes and cancels a process, and refuses what no longer fits', async () => {
    const id = await idOf('shop/order', '-e', 'test', '-i', 'amount=1', '--key', 'twice');
    expect(await idOf('shop/order', '-e', 'test', '-i', 'amount=1', '--key', 'twice')).toBe(id);
    await untilStatus(id, 'waiting');
    expect((await cli.run('pause', id, '--reason', 'lunch')).code).toBe(0);
    await untilStatus(id, 'paused');
    expect((await cli.run('why', id)).out).toMatch(/paused/i);
    expect((await cli.run('resume', id)).code).toBe(0);
    await untilStatus(id, 'waiting');
    expect((await cli.run('cancel', id)).code).toBe(0);
    await untilStatus(id, 'cancelled');
    const late = await cli.run('pause', id);
    expect(late.code, late.err).toBe(1);
    expect(late.err).toMatch(/cancelled/);
  });

  it('asks a person when the executor died in an effect that nobody may repeat', async () => {
    expect((await cli.run('publish', file('doubtful.yaml'))).code).toBe(0);
    const id = await idOf('shop/doubtful', '-e', 'test');
    await target.untilAt('doubt', 1);
    const { owner } = z.object({ owner: z.string() }).parse(await cli.json('show', id));
    const executors = z.array(z.object({ id: z.string(), pid: z.number() })).parse(await cli.json('executor', 'list'));
    await baton.replace(executors.find((executor) => executor.id === owner)?.pid ?? 0, 'SIGKILL');
    const incident = await eventually(async () => {
      const incidents = z.array(item).parse(await cli.json('incident', 'list'));
      return incidents.find(({ process }) => process === id);
    });
    expect((await cli.run('why', id)).out).toMatch(/charge/);
    expect(await cli.run('incident', 'list')).toMatchObject({ code: 0, out: expect.stringContaining('charge') });
    const output = ['--output', '{"charged":true}', '--reason', 'seen on the statement'];
    const resolved = await cli.run('incident', 'resolve', incident.id, 'skip', ...output);
    expect(resolved.code, resolved.err).toBe(0);
    await untilStatus(id, 'completed');
    expect(await cli.json('show', id)).toMatchObject({ outputs: { charged: true } });
    expect((await cli.run('executor', 'list')).out).toMatch(/lost/);
    expect(target.of(id)).toHaveLength(1);
  });

  it('gives tokens that may do what their role may, until they are revoked', async () => {
    const made = z.object({ id: z.string(), token: z.string() });
    const viewer = made.parse(await cli.json('token', 'create', 'vera', '--role', 'viewer'));
    const vera = cli.as(viewer.token);
    expect((await vera.run('ps')).code).toBe(0);
    const refused = await vera.run('run', 'shop/greet', '-i', 'who=vera');
    expect(refused.code, refused.err).toBe(5);
    expect(refused.err).toMatch(/viewer/);
    expect((await cli.run('token', 'list')).out).toContain('vera');
    expect((await cli.run('token', 'list')).out).not.toContain(viewer.token);
    expect((await cli.run('token', 'revoke', viewer.id)).code).toBe(0);
    expect((await vera.run('ps')).code).toBe(5);
  });

  it('shows and changes settings, and says in its exit code what is not there or out of reach', async () => {
    expect((await cli.run('settings', '--set', 'quarantine.deaths=5')).code).toBe(0);
    expect(await cli.json('settings')).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'quarantine.deaths', value: 5, default: 3 })]),
    );
    expect(await cli.run('settings', '--set', 'quarantine.deaths=none')).toMatchObject({ code: 2 });
    const nobody = await cli.run('show', 'c1-01900000-0000-7000-8000-000000000000');
    expect(nobody.code, nobody.err).toBe(4);
    expect((await cli.run('run', 'shop/nothing')).code).not.toBe(0);
    expect(await cli.run('show', '')).toMatchObject({ code: 2, err: expect.stringContaining('<id> is empty') });
    const away = await cli.run('ps', '--server', 'http://127.0.0.1:1');
    expect(away).toMatchObject({ code: 3, err: expect.stringContaining('baton up') });
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    expect(await new CommandLine(empty).run('ps')).toMatchObject({ code: 2, err: expect.stringContaining('--server') });
    expect((await cli.run('nonsense')).code).toBe(2);
  });
});
