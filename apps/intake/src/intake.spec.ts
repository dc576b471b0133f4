import { randomBytes } from 'node:crypto';
import { type Problem, type RestOperation, restOperations, roles } from '@baton/contracts';
import { PostgresProcessViews } from '@baton/event-log';
import { newApiToken } from '@baton/security';
import { createLogger, createMetrics } from '@baton/telemetry';
import { type TestDatabase, testDatabase } from '@baton/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIntakeApp } from './intake.app.js';
import { type IntakeParts, wireIntake } from './intake.wiring.js';
import { migrateAll } from './migrate.js';

let database: TestDatabase;
let parts: IntakeParts;
let app: NestFastifyApplication;
const tokens = new Map<string, string>();
const routes: { method: string; url: string }[] = [];
const logger = createLogger({ service: 'intake-test', level: 'silent' });

const hello = `kind: Process
name: hello
title: "Hello \${{ inputs.who }}"
inputs:
  who: { type: string, maxLength: 20 }
  times: { type: integer, default: 1 }
operators:
  greet: { type: set, value: "hi \${{ inputs.who }}" }
`;

beforeAll(async () => {
  database = await testDatabase({ migrate: { name: 'intake', run: (url) => migrateAll(url, console.error) } });
  const config = { databaseUrl: database.url, cell: 'c1', secretKey: randomBytes(32).toString('base64') };
  const given = { logger, metrics: createMetrics('intake'), operators: [] };
  parts = await wireIntake({ ...config, notify: true, connections: 4, kafka: null }, given);
  await parts.start();
  app = await createIntakeApp(parts.services, {
    logger,
    onRoute: (method, url) => routes.push({ method, url }),
    onAnswer: (answered) => parts.metrics.answered(answered),
  });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  for (const role of roles) {
    const made = newApiToken();
    tokens.set(role, made.token);
    const token = { id: made.id, hash: made.hash, name: role, role, groups: [`${role}s`] };
    await parts.services.catalogue.tokens.add({ ...token, createdBy: 'test', expiresAt: null });
  }
});
afterAll(async () => {
  await app?.close();
  await parts?.stop();
  await database?.drop();
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | number | undefined>;
  body: Record<string, unknown> & Partial<Problem>;
}
interface Call {
  as?: string;
  body?: unknown;
  headers?: Record<string, string>;
}
async function call(method: string, url: string, { as = 'admin', body, headers = {} }: Call = {}): Promise<Answer> {
  const token = tokens.get(as);
  const text = typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body);
  const answer = await app.inject({
    method: method as 'GET',
    url,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(text === undefined ? {} : { payload: text }),
  });
  const isJson = String(answer.headers['content-type'] ?? '').includes('json');
  return { status: answer.statusCode, headers: answer.headers, body: isJson ? answer.json() : {} };
}
const publish = (text: string) =>
  call('POST', '/v1/definitions', { body: text, headers: { 'content-type': 'application/yaml' } });

describe('who may call what', () => {
  test('every route that the server has is in the table of operations, and every operation is a route', () => {
    const served = routes.map(({ method, url }) => `${method} ${url}`).toSorted();
    const described = Object.values<RestOperation>(restOperations).map(
      ({ method, path }) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
    );
    expect(served).toEqual(described.toSorted());
  });

  const cases = Object.entries<RestOperation>(restOperations).flatMap(([name, operation]) =>
    ['nobody', 'stranger', ...roles].map((role) => ({ name, operation, role })),
  );
  test.each(cases)('$name as $role: let through only with the role that it takes', async ({ operation, role }) => {
    const url = operation.path.replace(/\{\w+\}/g, 'x');
    const headers: Record<string, string> =
      role === 'stranger' ? { authorization: `Bearer ${newApiToken().token}` } : {};
    // An empty body of a wrong type: whoever is let through is refused for it, and nothing is changed.
    const answer = await call(operation.method.toUpperCase(), url, { as: role, headers });
    const has = roles.indexOf(role as (typeof roles)[number]);
    if (operation.role === 'public') expect([401, 403]).not.toContain(answer.status);
    else if (has < 0) expect(answer.status).toBe(401);
    else if (has < roles.indexOf(operation.role)) expect(answer.status).toBe(403);
    else expect([401, 403]).not.toContain(answer.status);
  });

  test('a revoked and an expired token are refused, with a remedy', async () => {
    const expired = await call('POST', '/v1/tokens', {
      body: { name: 'x', role: 'viewer', expiresAt: '2020-01-01T00:00:00Z' },
    });
    const old = await call('GET', '/v1/processes', {
      as: 'nobody',
      headers: { authorization: `Bearer ${expired.body['token']}` },
    });
    expect(old.status).toBe(401);
    expect(old.body).toMatchObject({ code: 'unauthenticated', detail: 'the token is expired' });
    const made = await call('POST', '/v1/tokens', { body: { name: 'y', role: 'viewer' } });
    const headers = { authorization: `Bearer ${made.body['token']}` };
    expect((await call('GET', '/v1/processes', { as: 'nobody', headers })).status).toBe(200);
    expect((await call('DELETE', `/v1/tokens/${made.body['id']}`)).status).toBe(204);
    const revoked = await call('GET', '/v1/processes', { as: 'nobody', headers });
    expect([revoked.status, revoked.body.detail]).toEqual([401, 'the token is revoked']);
  });

  test('the list of tokens shows no token and no hash', async () => {
    const answer = await call('GET', '/v1/tokens');
    expect(JSON.stringify(answer.body)).not.toMatch(/bt_|hash|[0-9a-f]{64}/);
  });
});

describe('definitions', () => {
  test('are published as new versions, and unchanged text keeps its version', async () => {
    const first = await publish(hello);
    expect([first.status, first.body]).toMatchObject([201, { name: 'default/hello', version: 1 }]);
    expect(await publish(hello)).toMatchObject({ status: 200, body: { version: 1 } });
    const found = await call('GET', '/v1/definitions/default/hello');
    expect(found.body).toMatchObject({ version: 1, text: hello, requiredInputs: ['who'] });
    expect((await call('GET', '/v1/definitions')).body['items']).toContainEqual(
      expect.objectContaining({ name: 'default/hello' }),
    );
  });

  test('with faults are refused with all of them, each with line, column and remedy', async () => {
    const answer = await publish(
      hello.replace('type: set', 'type: sett').replace('inputs.who }}"\n', 'inputs.whom }}"\n'),
    );
    expect([answer.status, answer.body.code]).toEqual([422, 'definition-faults']);
    expect(answer.body.errors!.length).toBeGreaterThanOrEqual(2);
    for (const error of answer.body.errors!) {
      expect(error).toMatchObject({ line: expect.any(Number), column: expect.any(Number), remedy: expect.any(String) });
    }
  });

  test('that are unknown are answered with the names that are known', async () => {
    const answer = await call('GET', '/v1/definitions/default/helo');
    expect(answer).toMatchObject({
      status: 404,
      body: { known: ['default/hello'], remedy: 'did you mean default/hello?' },
    });
  });
});

describe('requests', () => {
  const body = { definition: 'hello', inputs: { who: 'you' } };

  test('are answered after they are in the log, with everything the process needs pinned', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const answer = await call('POST', '/v1/requests', { as: 'operator', body, headers: { traceparent } });
    expect(answer.status).toBe(202);
    const id = String(answer.body['id']);
    expect(answer.headers['location']).toBe(`/v1/processes/${id}`);
    const events = await call('GET', `/v1/processes/${id}/events`);
    expect(events.body['items']).toMatchObject([
      {
        sequence: 1,
        type: 'ProcessRequested',
        data: {
          definition: { name: 'default/hello', version: 1 },
          title: 'Hello you',
          inputs: { who: 'you', times: 1 },
          requester: { id: 'operator', groups: ['operators'] },
        },
        metadata: { actor: 'operator', traceparent },
      },
    ]);
    const found = await call('GET', `/v1/processes/${id}`);
    expect(found.body).toMatchObject({ id, status: 'requested', title: 'Hello you', inputs: { who: 'you', times: 1 } });
    const why = await call('GET', `/v1/processes/${id}/why`);
    expect(why.body).toMatchObject({ summary: expect.stringContaining('admitted'), status: 'requested' });
  });

  test('with one key: the same body gets the same answer, another body is refused', async () => {
    const headers = { 'idempotency-key': 'key-1' };
    const first = await call('POST', '/v1/requests', { body, headers });
    const again = await call('POST', '/v1/requests', {
      body: { inputs: { who: 'you' }, definition: 'hello' },
      headers,
    });
    expect(again.body).toEqual(first.body);
    const other = await call('POST', '/v1/requests', { body: { ...body, priority: 9 }, headers });
    expect([other.status, other.body.code]).toEqual([422, 'key-reused']);
    const someone = await call('POST', '/v1/requests', { as: 'operator', body, headers });
    expect(someone.body['id']).not.toBe(first.body['id']);
  });

  test('with one key get the same answer also when a newer version would refuse them', async () => {
    await publish('kind: Process\nname: grows\noperators:\n  a: { type: set, value: 1 }\n');
    const old = { definition: 'grows' };
    const headers = { 'idempotency-key': 'grows' };
    const first = await call('POST', '/v1/requests', { body: old, headers });
    await publish(
      'kind: Process\nname: grows\ninputs: { who: { type: string } }\noperators:\n  a: { type: set, value: 2 }\n',
    );
    expect((await call('POST', '/v1/requests', { body: old })).status).toBe(422);
    expect(await call('POST', '/v1/requests', { body: old, headers })).toMatchObject({ status: 202, body: first.body });
    const other = await call('POST', '/v1/requests', { body: { ...old, priority: 1 }, headers });
    expect(other.body.code).toBe('key-reused');
  });

  test('twenty that race with one key make one process', async () => {
    const headers = { 'idempotency-key': 'race' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => call('POST', '/v1/requests', { body, headers })),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
    expect(new Set(answers.map((answer) => answer.body['id'])).size).toBe(1);
  });

  test('in an array each stands for itself, and item i has the key KEY/i', async () => {
    const headers = { 'idempotency-key': 'many' };
    const items = [body, { ...body, inputs: {} }, { ...body, definition: 'nope' }, 7, body];
    const answer = await call('POST', '/v1/requests', { body: items, headers });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject([
      { status: 202, id: expect.any(String) },
      { status: 422, code: 'invalid', errors: [{ path: '/inputs/who' }] },
      { status: 422, code: 'unknown-definition' },
      { status: 422 },
      { status: 202, id: expect.any(String) },
    ]);
    const again = await call('POST', '/v1/requests', { body: items, headers });
    expect(again.body).toEqual(answer.body);
    const results = Object.values(answer.body) as { id: string }[];
    const single = await call('POST', '/v1/requests', { body, headers: { 'idempotency-key': 'many/4' } });
    expect(single.body['id']).toBe(results[4]!.id);
  });

  test('a thousand in an array are one answer, a thousand and one are refused', async () => {
    const thousand = await call('POST', '/v1/requests', { body: Array.from({ length: 1000 }, () => body) });
    expect(thousand.status).toBe(200);
    const ids = (Object.values(thousand.body) as { id: string }[]).map((item) => item.id);
    expect(new Set(ids).size).toBe(1000);
    expect((await call('POST', '/v1/requests', { body: Array.from({ length: 1001 }, () => body) })).status).toBe(422);
  });

  test.each([
    ['an unknown field', { ...body, input: {} }, '/input', 'did you mean "inputs"?'],
    ['a missing definition', { inputs: {} }, '/definition', 'give a string'],
    ['an input that does not fit', { ...body, inputs: { who: 'a'.repeat(30) } }, '/inputs/who', undefined],
    ['an unknown input', { ...body, inputs: { who: 'a', whom: 'b' } }, '/inputs/whom', undefined],
    ['an unknown version', { ...body, version: 99 }, '/version', undefined],
    ['an unknown environment', { ...body, environment: 'nowhere' }, '/environment', undefined],
    ['a priority out of range', { ...body, priority: 10 }, '/priority', undefined],
  ])('with %s are refused with its place', async (_, bad, path, remedy) => {
    const answer = await call('POST', '/v1/requests', { body: bad });
    expect(answer.status).toBe(422);
    const error = answer.body.errors!.find((one) => one.path === path);
    expect(error, JSON.stringify(answer.body)).toBeDefined();
    if (remedy) expect(error!.remedy).toBe(remedy);
  });
});

describe('bad input', () => {
  test.each([
    ['not JSON', '{"a":', 400],
    ['too deep', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`, 400],
    ['empty', '', 400],
    ['a reserved name', '{"definition":"hello","inputs":{"__proto__":{}}}', 400],
  ])('a body that is %s is refused before anything looks at it', async (_, text, status) => {
    const answer = await call('POST', '/v1/requests', { body: text });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body.detail).toBeTruthy();
  });

  test('NUL and lone surrogates in inputs can be stored and read back', async () => {
    const text = '{"definition":"hello","inputs":{"who":"a\\u0000b\\ud800c"}}';
    const answer = await call('POST', '/v1/requests', { body: text });
    expect(answer.status).toBe(202);
    const found = await call('GET', `/v1/processes/${answer.body['id']}`);
    expect(found.body['inputs']).toMatchObject({ who: 'a\\u0000b\\ud800c' });
  });

  test('integers beyond 2^53 are never rounded: as an integer they are refused', async () => {
    const text = '{"definition":"hello","inputs":{"who":"x","times":9007199254740993}}';
    const answer = await call('POST', '/v1/requests', { body: text });
    expect([answer.status, answer.body.errors?.[0]?.path]).toEqual([422, '/inputs/times']);
  });

  test('a body larger than its call may have is refused by its length', async () => {
    const answer = await call('POST', '/v1/messages', {
      body: { name: 'm', key: 'k', payload: 'x'.repeat(3_000_000) },
    });
    expect([answer.status, answer.body.code]).toEqual([413, 'too-large']);
  });

  test('a definition above 1 MiB is refused with the limit', async () => {
    const answer = await publish(`${hello}# ${'x'.repeat(1_100_000)}`);
    expect([answer.status, answer.body.detail]).toMatchObject([413, expect.stringContaining('1 MiB')]);
  });

  test('a body of another type says which is understood', async () => {
    const answer = await call('POST', '/v1/requests', { body: '<a/>', headers: { 'content-type': 'application/xml' } });
    expect([answer.status, answer.body.remedy]).toMatchObject([415, expect.stringContaining('application/json')]);
  });

  test.each([
    ['GET', '/v1/processes/c1-nope'],
    ['GET', '/v1/processes/nope/events'],
    ['GET', '/v1/processes/c1-019a0000-0000-7000-8000-000000000000/stream'],
    ['POST', '/v1/processes/c1-019a0000-0000-7000-8000-000000000000/cancel'],
    ['GET', '/v1/tasks/none'],
    ['GET', '/v1/environments/none'],
    ['DELETE', '/v1/tokens/none'],
    ['GET', '/v1/nothing'],
  ])('%s %s is 404 as a problem', async (method, url) => {
    const answer = await call(method, url);
    expect([answer.status, answer.body.code]).toEqual([404, 'not-found']);
  });

  test.each([
    '/v1/processes?after=x',
    '/v1/tasks?after=x',
    '/v1/processes?status=runing',
    '/v1/processes?lable=a=b',
    '/v1/processes?limit=0',
    '/v1/processes?label=x',
  ])('GET %s is refused with the place of the fault', async (url) => {
    const answer = await call('GET', url);
    expect([answer.status, answer.body.errors?.length]).toEqual([422, 1]);
  });
});

describe('the list of processes', () => {
  async function feed(): Promise<void> {
    const { rows } = await database.pool.query<{ stream_id: string }>('select distinct stream_id from event');
    const events = await parts.services.log.readMany(rows.map((row) => ({ stream: `c1-${row.stream_id}`, after: 0 })));
    await new PostgresProcessViews(database.pool, 'c1').apply([...events.values()].flat());
  }

  test('is filtered by status, definition and label, paged by cursor, and says its age', async () => {
    await publish('kind: Process\nname: listed\noperators:\n  a: { type: set, value: 1 }\n');
    for (const team of ['web', 'db', 'web']) {
      await call('POST', '/v1/requests', { body: { definition: 'listed', labels: { team } } });
    }
    await feed();
    const all = await call('GET', '/v1/processes?definition=listed');
    expect(all.body['items']).toMatchObject([
      { labels: { team: 'web' } },
      { labels: { team: 'db' } },
      { labels: { team: 'web' } },
    ]);
    expect(all.body['ageMs']).toBeGreaterThan(0);
    expect((await call('GET', '/v1/processes?definition=default/listed&label=team=db')).body['items']).toHaveLength(1);
    expect((await call('GET', '/v1/processes?definition=listed&status=running,waiting')).body['items']).toEqual([]);
    expect((await call('GET', '/v1/processes?definition=listed&status=running,requested')).body['items']).toHaveLength(
      3,
    );
    const ids = (all.body['items'] as { id: string }[]).map((item) => item.id);
    const first = await call('GET', '/v1/processes?definition=listed&limit=2');
    const second = await call('GET', `/v1/processes?definition=listed&limit=2&after=${first.body['next']}`);
    const paged = [first, second].flatMap((page) => (page.body['items'] as { id: string }[]).map((item) => item.id));
    expect(paged).toEqual(ids);
    expect(second.body['next']).toBeNull();
  });
});

describe('environments, settings, audit', () => {
  test('connections and secrets go in and never come out', async () => {
    const body = {
      variables: { region: 'eu' },
      connections: { db: { type: 'postgresql', url: 'postgres://u:hunter2@h/d' } },
      secrets: { KEY: 'swordfish' },
    };
    const put = await call('PUT', '/v1/environments/staging', { body });
    expect(put.body).toMatchObject({
      variables: { region: 'eu' },
      connections: { db: { type: 'postgresql' } },
      secrets: ['KEY'],
    });
    const all = [
      put,
      await call('GET', '/v1/environments/staging'),
      await call('GET', '/v1/environments'),
      await call('GET', '/v1/audit'),
    ];
    expect(JSON.stringify(all)).not.toMatch(/hunter2|swordfish/);
  });

  test("a request copies the environment's variables", async () => {
    const answer = await call('POST', '/v1/requests', {
      body: { definition: 'hello', environment: 'staging', inputs: { who: 'x' } },
    });
    const events = await call('GET', `/v1/processes/${answer.body['id']}/events`);
    expect(events.body['items']).toMatchObject([
      { data: { environment: { name: 'staging', variables: { region: 'eu' } } } },
    ]);
  });

  test('settings are changed, checked, set back and audited', async () => {
    const changed = await call('PATCH', '/v1/settings', { body: { 'quarantine.deaths': 9 } });
    expect(changed.body['items']).toContainEqual(
      expect.objectContaining({ name: 'quarantine.deaths', value: 9, default: 3, changedBy: 'admin' }),
    );
    const bad = await call('PATCH', '/v1/settings', { body: { 'quarantine.death': 9 } });
    expect(bad.body.errors).toMatchObject([{ remedy: 'did you mean "quarantine.deaths"?' }]);
    const back = await call('PATCH', '/v1/settings', { body: { 'quarantine.deaths': null } });
    expect(back.body['items']).toContainEqual(expect.objectContaining({ name: 'quarantine.deaths', value: 3 }));
    const audit = await call('GET', '/v1/audit?subject=settings');
    expect(audit.body['items']).toMatchObject([{ who: 'admin', action: 'settings.change' }, {}]);
  });
});

describe('commands', () => {
  test('pause, resume and cancel are recorded with who and why, and say what no longer fits', async () => {
    const { body } = await call('POST', '/v1/requests', { body: { definition: 'hello', inputs: { who: 'x' } } });
    const url = `/v1/processes/${body['id']}`;
    expect(await call('POST', `${url}/pause`, { as: 'operator', body: { reason: 'wait' } })).toMatchObject({
      status: 202,
      body: { status: 'paused' },
    });
    expect((await call('GET', `${url}/why`)).body['summary']).toContain('paused');
    expect((await call('POST', `${url}/resume`, { as: 'operator' })).status).toBe(202);
    const resumed = await call('POST', `${url}/resume`, { as: 'operator' });
    expect([resumed.status, resumed.body.code]).toEqual([409, 'no-longer-fits']);
    expect((await call('POST', `${url}/cancel`, { as: 'operator', body: { reason: 'no' } })).status).toBe(202);
    const events = await call('GET', `${url}/events`);
    expect(events.body['items']).toContainEqual(
      expect.objectContaining({
        type: 'ProcessPaused',
        data: { by: { id: 'operator', groups: ['operators'] }, reason: 'wait' },
      }),
    );
  });

  test('a message to a key is kept when nobody waits, once per Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'm1' };
    const body = { name: 'paid', key: 'order-1', payload: { amount: 3 } };
    const first = await call('POST', '/v1/messages', { body, headers });
    expect(first).toMatchObject({ status: 202, body: { delivered: null } });
    expect((await call('POST', '/v1/messages', { body, headers })).body['id']).toBe(first.body['id']);
  });

  test('findings of the self-audit are shown, newest first, page by page', async () => {
    const id = '01890a5d-ac96-774b-bcce-b302099a8057';
    const text =
      "insert into audit_finding values ($1, 'no-head', 'd', '2026-01-01Z'), ($1, 'owner-lost', 'd', '2026-01-02Z')";
    await database.pool.query(text, [id]);
    const first = await call('GET', '/v1/audit/findings?limit=1');
    const finding = { kind: 'owner-lost', detail: 'd', foundAt: '2026-01-02T00:00:00.000Z', repairedAt: null };
    expect(first.body['items']).toEqual([{ process: `c1-${id}`, ...finding }]);
    const next = encodeURIComponent(String(first.body['next']));
    const second = await call('GET', `/v1/audit/findings?after=${next}`);
    expect(second.body).toMatchObject({ items: [{ kind: 'no-head' }], next: null });
    expect((await call('GET', '/v1/audit/findings?after=x')).status).toBe(422);
  });

  test('a message, an answer and inputs that forge a marker of Baton are refused with their place', async () => {
    const forged = { $secret: { sealed: 'baton:1:a:b:c' } };
    for (const [url, body, path] of [
      ['/v1/requests', { definition: 'hello', inputs: { who: forged } }, '/inputs/who/$secret'],
      ['/v1/messages', { name: 'paid', key: 'k', payload: [forged] }, '/payload/0/$secret'],
      ['/v1/tasks/x/answer', { answer: { a: { $artifact: { digest: 'd' } } } }, '/answer/a/$artifact'],
      ['/v1/incidents/x/resolve', { action: 'skip', output: forged, reason: 'r' }, '/output/$secret'],
    ] as const) {
      const answer = await call('POST', url, { body });
      expect([answer.status, answer.body.errors?.[0]?.path]).toEqual([422, path]);
    }
  });

  test('a rebuild is put on the list of jobs', async () => {
    expect(await call('POST', '/v1/log/rebuild')).toMatchObject({ status: 202, body: { status: 'requested' } });
  });
});

test('health, metrics and the OpenAPI document need no token', async () => {
  expect((await call('GET', '/health/live', { as: 'nobody' })).status).toBe(200);
  expect((await call('GET', '/health/ready', { as: 'nobody' })).body).toEqual({
    status: 'ready',
    checks: { database: 'ok', catalogue: 'ok' },
  });
  expect((await call('GET', '/openapi.json', { as: 'nobody' })).body).toMatchObject({ openapi: '3.1.0' });
  const metrics = await app.inject({ method: 'GET', url: '/metrics' });
  expect(metrics.body).toMatch(/http_server_request_duration.*http_route="\/v1\/processes\/:id"/);
});
