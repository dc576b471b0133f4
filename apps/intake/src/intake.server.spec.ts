import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { BatonClient, BatonProblem } from '@baton/client';
import { uuidv7 } from '@baton/event-log';
import type { ProcessEvent } from '@baton/process';
import { newApiToken } from '@baton/security';
import { createLogger, createMetrics } from '@baton/telemetry';
import { type TestCluster, testCluster } from '@baton/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrapAdmin } from './bootstrap.admin.js';
import { createIntakeApp } from './intake.app.js';
import { type IntakeParts, wireIntake } from './intake.wiring.js';
import { migrateAll } from './migrate.js';

/** A server that listens, over a PostgreSQL of its own that may be stopped. */
let cluster: TestCluster;
let parts: IntakeParts;
let app: NestFastifyApplication;
let url: string;
const admin = newApiToken().token;
const logger = createLogger({ service: 'intake-test', level: 'silent' });

beforeAll(async () => {
  cluster = await testCluster();
  const databaseUrl = cluster.cluster.url('postgres');
  await migrateAll(databaseUrl, () => undefined);
  const config = {
    databaseUrl,
    cell: 'c1',
    secretKey: randomBytes(32).toString('base64'),
    notify: true,
    connections: 4,
    kafka: null,
  };
  parts = await wireIntake(config, { logger, metrics: createMetrics('intake'), operators: [] });
  await bootstrapAdmin(parts.services.catalogue.tokens, admin);
  await parts.start();
  app = await createIntakeApp(parts.services, { logger, bus: parts.bus });
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  await client().publish('kind: Process\nname: wait\noperators:\n  go: { type: user-task, form: { type: object } }\n');
});
afterAll(async () => {
  await app?.close();
  await parts?.stop();
  await cluster?.drop();
});

function client(token = admin): BatonClient {
  return new BatonClient({ url, token });
}
async function append(stream: string, ...events: ProcessEvent[]): Promise<void> {
  const { log } = parts.services;
  const version = (await log.heads([stream])).get(stream)!.version;
  const items = events.map((event) => ({ id: uuidv7(), event, metadata: {} }));
  const [result] = await log.append([{ stream, expected: version, events: items }]);
  if (result?.status !== 'appended') throw new Error(`Expected the events to be appended to ${stream}, but: refused.`);
}
/** As an executor would have driven it to its task. */
async function openTask(assign: { users?: string[]; notBy?: string[] }): Promise<{ process: string; task: string }> {
  const { id } = await client().request({ definition: 'wait' });
  const task = `${id}.task-1`;
  const common = { path: 'go', attempt: 1 };
  const started = { ...common, type: 'user-task', class: 'waiting' as const, executor: 'x' };
  await append(
    id,
    { type: 'ProcessScheduled', data: {} },
    { type: 'ProcessStarted', data: { executor: 'x' } },
    { type: 'OperatorStarted', data: { ...started, waitsFor: { kind: 'task', taskId: task } } },
    {
      type: 'TaskAssigned',
      data: { ...common, taskId: task, assign, form: { type: 'object' }, needs: 1, dueAt: null },
    },
    { type: 'ProcessParked', data: { waitsFor: ['go'], dueAt: null } },
  );
  return { process: id, task };
}

test('a stream tells what is there, then what comes, and ends with the process', async () => {
  const { id } = await client().request({ definition: 'wait' });
  const seen: string[] = [];
  for await (const event of client().stream(id)) {
    seen.push(`${event.sequence} ${event.type}`);
    if (event.type === 'ProcessRequested') await append(id, { type: 'ProcessScheduled', data: {} });
    if (event.type === 'ProcessScheduled') await append(id, { type: 'ProcessStarted', data: { executor: 'x' } });
    if (event.type === 'ProcessStarted') await append(id, { type: 'ProcessCompleted', data: { outputs: null } });
  }
  expect(seen).toEqual(['1 ProcessRequested', '2 ProcessScheduled', '3 ProcessStarted', '4 ProcessCompleted']);
  const rest: number[] = [];
  for await (const event of client().stream(id, { after: 2 })) rest.push(event.sequence);
  expect(rest).toEqual([3, 4]);
  const headers = { authorization: `Bearer ${admin}`, 'last-event-id': '4' };
  expect((await fetch(`${url}/v1/processes/${id}/stream`, { headers })).status).toBe(204);
  expect((await client().waitForEnd(id)).status).toBe('completed');
});

test('a task is answered once: the second answer is 409, also when the operator is long over', async () => {
  const { process, task } = await openTask({});
  const [listed] = (await client().tasks({ process })).items;
  expect(listed).toMatchObject({ id: task, path: 'go', mayAnswer: true });
  expect((await client().why(process)).summary).toContain(`answer to task ${task}`);
  await client().answerTask(task, { go: true });
  const again = await client()
    .answerTask(task, { go: false })
    .catch((error: unknown) => error);
  expect(again).toBeInstanceOf(BatonProblem);
  expect((again as BatonProblem).status).toBe(409);
  await append(process, {
    type: 'OperatorCompleted',
    data: { path: 'go', held: ['task'], attempt: 1, output: { go: true } },
  });
  expect((await client().tasks({ process })).items).toEqual([]);
  const late = await client()
    .answerTask(task, { go: false })
    .catch((error: unknown) => error);
  expect((late as BatonProblem).problem).toMatchObject({ status: 409, code: 'no-longer-fits' });
});

test('of twenty answers at once one is taken', async () => {
  const { process, task } = await openTask({});
  const answers = Array.from({ length: 20 }, (_, n) => client().answerTask(task, { n }));
  const results = await Promise.allSettled(answers);
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  const events = (await client().events(process)).items.filter((event) => event.type === 'TaskAnswered');
  expect(events).toHaveLength(1);
});

test('who is excluded may not answer, admin or not', async () => {
  const { task } = await openTask({ notBy: ['admin'] });
  const refused = await client()
    .answerTask(task, {})
    .catch((error: unknown) => error);
  expect((refused as BatonProblem).status).toBe(403);
  const { task: other } = await openTask({ users: ['somebody-else'] });
  const stranger = await client()
    .answerTask(other, {})
    .catch((error: unknown) => error);
  expect((stranger as BatonProblem).status).toBe(403);
});

test('a task can be claimed, drafted and delegated', async () => {
  const { process, task } = await openTask({});
  await client().claimTask(task);
  await client().draftTask(task, { go: 'perhaps' });
  expect(await client().task(task)).toMatchObject({ claimedBy: 'admin', draft: { go: 'perhaps' } });
  await client().releaseTask(task);
  expect(await client().task(task)).toMatchObject({ claimedBy: null });
  await client().delegateTask(task, 'ann');
  expect((await client().tasks({ process })).items[0]).toMatchObject({ mayAnswer: false });
});

test('an incident is listed, resolved once, and then said to be over', async () => {
  const { id } = await client().request({ definition: 'wait' });
  const incidentId = `${id}.incident-1`;
  const data = { incidentId, kind: 'quarantine', reason: 'It killed three executors.', actions: ['fail' as const] };
  await append(id, { type: 'ProcessScheduled', data: {} }, { type: 'IncidentRaised', data });
  expect((await client().incidents({ process: id })).items).toMatchObject([{ id: incidentId, actions: ['fail'] }]);
  expect(await client().why(id)).toMatchObject({
    status: 'incident',
    summary: expect.stringContaining('killed three'),
  });
  await client().resolveIncident(incidentId, { action: 'fail', reason: 'give up' });
  const again = await client()
    .resolveIncident(incidentId, { action: 'fail', reason: 'again' })
    .catch((error: unknown) => error);
  expect((again as BatonProblem).status).toBe(409);
});

test('with the database away every call is a 503 with Retry-After; the client waits, goes on, and makes one process', async () => {
  const { id } = await client().request({ definition: 'wait' });
  const seen: string[] = [];
  const first = Promise.withResolvers<void>();
  const streaming = (async () => {
    for await (const event of client().stream(id)) {
      seen.push(event.type);
      first.resolve();
    }
  })();
  await first.promise;
  await cluster.cluster.stop('immediate');
  const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/v1/requests`, { method: 'POST', headers, body: '{"definition":"wait"}' });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await answer.json()).toMatchObject({
    code: 'database-away',
    remedy: expect.stringContaining('Idempotency-Key'),
  });
  expect((await fetch(`${url}/health/ready`)).status).toBe(503);
  expect((await fetch(`${url}/health/live`)).status).toBe(200);

  const retried = Promise.withResolvers<void>();
  const patient = new BatonClient({ url, token: admin, onRetry: () => retried.resolve() });
  const creating = patient.request({ definition: 'wait', labels: { from: 'patient' } }, { idempotencyKey: 'patient' });
  await retried.promise;
  await cluster.cluster.start();
  const created = await creating;
  expect(
    (await client().request({ definition: 'wait', labels: { from: 'patient' } }, { idempotencyKey: 'patient' })).id,
  ).toBe(created.id);
  await append(id, { type: 'ProcessScheduled', data: {} }, { type: 'ProcessStarted', data: { executor: 'x' } });
  await append(id, { type: 'ProcessCompleted', data: { outputs: null } });
  await streaming;
  expect(seen).toEqual(['ProcessRequested', 'ProcessScheduled', 'ProcessStarted', 'ProcessCompleted']);
}, 60_000);
