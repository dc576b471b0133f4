import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from './run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'baton-cli-'));
const definition = `kind: Process
name: web/release
inputs: { version: { type: string } }
operators:
  build: { type: http, method: PUT, url: "https://x/\${{ inputs.version }}" }
  test: { type: http, method: GET, url: "https://x", after: [build] }
  lint: { type: http, method: GET, url: "https://x", after: [build] }
  ship: { type: http, method: PUT, url: "https://x", after: [test, lint] }
`;
const item = {
  id: 'c1-1',
  definition: 'web/release',
  version: 1,
  title: 'Release v1',
  status: 'failed',
  priority: 5,
  environment: null,
  labels: {},
  requester: 'ann',
  requestedAt: '2026-11-23T10:00:00.000Z',
  startedAt: '2026-11-23T10:00:00.000Z',
  endedAt: '2026-11-23T10:01:05.000Z',
};
const operator = (path: string, status: string) => ({
  path,
  type: 'http',
  status,
  attempt: 1,
  startedAt: item.startedAt,
  endedAt: item.endedAt,
});
const process1 = {
  ...item,
  inputs: {},
  outputs: null,
  owner: null,
  parent: null,
  sequence: 4,
  error: { code: 'expect', message: 'no' },
  operators: [operator('build', 'completed'), operator('test', 'failed')],
};
const problem = (status: number, code: string) => ({
  status,
  body: {
    type: 'x',
    code,
    title: 'No',
    status,
    detail: 'it is so',
    errors: [{ path: '/a', message: 'wrong', remedy: 'right' }],
  },
});
const answers: Record<string, { status: number; body: unknown }> = {
  'GET /v1/processes': { status: 200, body: { items: [item], next: null, asOf: item.requestedAt, ageMs: 0 } },
  'GET /v1/processes/c1-1': { status: 200, body: process1 },
  'GET /v1/definitions/web/release': {
    status: 200,
    body: { name: 'web/release', version: 1, text: definition, inputs: { version: { type: 'string' } } },
  },
  'POST /v1/requests': { status: 202, body: { id: 'c1-1', status: 'requested' } },
  'GET /v1/processes/c1-1/stream': { status: 204, body: '' },
  'GET /v1/processes/c1-2': problem(404, 'not-found'),
  'POST /v1/processes/c1-1/retry': problem(409, 'no-longer-fits'),
  'GET /v1/tokens': problem(403, 'not-allowed'),
  'POST /v1/definitions': problem(422, 'definition-faults'),
};
const letter = {
  id: '01890000-0000-7000-8000-000000000001',
  subscriber: 'requests',
  eventId: '01890000-0000-7000-8000-000000000002',
  type: 'baton.request.v1',
  subject: '',
  reason: 'bad',
  attempts: 1,
  failedAt: item.requestedAt,
  origin: { topic: 'baton.request', partition: 0, offset: '7' },
  replayRequestedAt: item.requestedAt,
  replayedAt: null,
  replayError: null,
};
answers[`POST /v1/bus/dead-letters/${letter.id}/replay`] = { status: 202, body: letter };
answers['GET /v1/bus'] = {
  status: 200,
  body: { transport: 'embedded', toldAt: null, publisher: null, subscribers: [], deadLetters: 1, republishing: [] },
};
const bodies: string[] = [];
let server: Server;
let url = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(body);
      const path = new URL(request.url ?? '/', 'http://x').pathname;
      const answer = answers[`${request.method} ${path}`] ?? problem(404, 'not-found');
      response.writeHead(answer.status, {
        'content-type': answer.status < 400 ? 'application/json' : 'application/problem+json',
      });
      response.end(answer.status === 204 ? undefined : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  writeFileSync(join(folder, 'baton.json'), JSON.stringify({ url, token: 'secret', pids: {} }));
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

async function baton(...argv: string[]): Promise<{ code: number; out: string; error: string }> {
  const out: string[] = [];
  const error: string[] = [];
  const env = { BATON_DATA: folder };
  const code = await runCli(argv, {
    env,
    out: (line) => out.push(line),
    error: (line) => error.push(line),
    width: 80,
    height: 24,
    interactive: false,
  });
  return { code, out: stripVTControlCharacters(out.join('\n')), error: error.join('\n') };
}

it('finds the server by what baton up left, and lists as an array with --json', async () => {
  const { code, out } = await baton('ps', '--json');
  expect([code, JSON.parse(out)]).toEqual([0, [item]]);
});

it('does not wait for a subscriber of a topic where there is no Kafka', async () => {
  const { code, out } = await baton('bus', 'replay', letter.id);
  expect([code, out]).toEqual([
    0,
    'requests reads a Kafka topic, and no Kafka is configured: it gets this once one is',
  ]);
});

it('draws the graph of a process with its state within 80 columns', async () => {
  const { code, out } = await baton('show', 'c1-1');
  expect(code).toBe(0);
  expect(out).toMatch(/✔ build .*completed/);
  expect(out).toMatch(/├─ ✘ test .*failed/);
  expect(out).toMatch(/├─ ○ lint .*pending/);
  expect(out).toMatch(/○ ship .*← test, lint/);
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

it.each([
  ['done', 0, ['show', 'c1-1', '--json']],
  ['the process failed', 1, ['run', 'web/release', '-i', 'version=1', '--wait', '--json']],
  ['it no longer fits', 1, ['retry', 'c1-1']],
  ['wrong use', 2, ['shwo', 'c1-1']],
  ['an unknown option', 2, ['ps', '--nope']],
  ['a missing argument', 2, ['show']],
  ['refused input', 2, ['publish', join(folder, 'baton.json')]],
  ['an answer that is no JSON', 2, ['task', 'answer', 't', '{go']],
  ['no such file', 2, ['check', join(folder, 'nope.yaml')]],
  ['not found', 4, ['show', 'c1-2']],
  ['not allowed', 5, ['token', 'list']],
  ['help', 0, ['incident', 'resolve', '--help']],
])('%s: exit code %i', async (_, expected, argv) => {
  const { code, error, out } = await baton(...argv);
  expect([code, code === 0 || error !== '' || out !== '']).toEqual([expected, true]);
});

it('a server out of reach: exit code 3, and what to do', async () => {
  const away = createServer();
  await new Promise<void>((resolve) => away.listen(0, '127.0.0.1', resolve));
  const address = away.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await new Promise((resolve) => away.close(resolve));
  const { code, error } = await baton('--server', `http://127.0.0.1:${port}`, 'revoke-nothing');
  expect([code, error !== '']).toEqual([2, true]);
  const asked = await baton('ps', '--server', `http://127.0.0.1:${port}`);
  expect([asked.code, asked.error]).toEqual([3, expect.stringContaining('baton up')]);
});

it('text stays text where the definition takes text', async () => {
  bodies.length = 0;
  await baton('run', 'web/release', '-i', 'version=1');
  expect(JSON.parse(bodies.at(-1) ?? '{}')).toMatchObject({ definition: 'web/release', inputs: { version: '1' } });
});

it('says what is wrong with a definition, where, and what to do', async () => {
  const file = join(folder, 'bad.yaml');
  writeFileSync(file, 'kind: Process\nname: a/b\noperators:\n  x: { type: htpp }\n');
  const { code, out } = await baton('check', file);
  expect([code, out]).toEqual([
    2,
    expect.stringContaining(
      `${file}:4:14 operators.x.type: There is no operator type "htpp".\n    Did you mean "http"?`,
    ),
  ]);
});

it('every command has help with an example', async () => {
  const commands = [
    ['up'],
    ['check'],
    ['publish'],
    ['run'],
    ['ps'],
    ['show'],
    ['log'],
    ['why'],
    ['cancel'],
    ['pause'],
    ['resume'],
    ['retry'],
    ['task', 'list'],
    ['task', 'answer'],
    ['message'],
    ['incident', 'list'],
    ['incident', 'resolve'],
    ['executor', 'list'],
    ['environment', 'set'],
    ['environment', 'list'],
    ['environment', 'show'],
    ['token', 'create'],
    ['token', 'list'],
    ['token', 'revoke'],
    ['settings'],
    ['definition', 'list'],
    ['definition', 'show'],
  ];
  for (const command of commands) {
    const { code, out } = await baton('help', ...command).then((top) =>
      command.length === 1 ? top : baton(...command, '--help'),
    );
    expect([command, code, out]).toEqual([command, 0, expect.stringContaining(`$ baton ${command.join(' ')}`)]);
  }
  expect(readdirSync(folder)).toContain('baton.json');
});
