import type { BatonClient } from '@baton/client';
import type { RecordedEvent } from '@baton/process';
import { kafkaMissing } from '@baton/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EffectTarget } from './effect.target.js';
import { eventually } from './patience.js';
import { countOf, expectPromiseKept, started, untilIn } from './process.audit.js';
import { samplesOf } from './service.metrics.js';
import { isThere, StandaloneProcess, untilGone } from './standalone.process.js';

const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: processes over Kafka alone; ${missing}`);

const child = `
kind: Process
name: e2e/ways-child
inputs: { target: { type: string } }
operators:
  inside: { type: http, method: POST, url: "\${{ inputs.target }}/child", recovery: fail }
  pause: { type: delay, after: [inside], for: 1s }
`;
const definition = `
kind: Process
name: e2e/ways
inputs: { target: { type: string }, order: { type: string } }
operators:
  first: { type: http, method: POST, url: "\${{ inputs.target }}/first", recovery: fail }
  pause: { type: delay, after: [first], for: 2s }
  child: { type: process, after: [first], definition: e2e/ways-child, inputs: { target: "\${{ inputs.target }}" } }
  approve:
    type: user-task
    after: [first]
    form: { type: object, properties: { go: { type: boolean } }, required: [go] }
  told: { type: receive, after: [first], message: go-on }
  paid: { type: receive, after: [pause], message: paid, key: "\${{ inputs.order }}", keep: 1h }
  held: { type: http, after: [first], method: POST, url: "\${{ inputs.target }}/gate/held", recovery: fail }
  last: { type: http, after: [pause, child, approve, told, paid, held], method: POST, url: "\${{ inputs.target }}/last", recovery: fail }
`;
const definitions = [child, definition];
const services = ['scheduler', 'executor-1', 'executor-2'];
const options = ['--executors', '2', '--allow-address', '127.0.0.1/32'];
const hour = '3600000';

/** What was found, by the work and the way that led to it. */
async function waysOf(baton: StandaloneProcess): Promise<Record<string, number>> {
  const ways: Record<string, number> = {};
  for (const { labels, value } of await samplesOf(baton, services, 'baton_wakeups_total')) {
    const name = `${labels['work']} by ${labels['way']}`;
    ways[name] = (ways[name] ?? 0) + value;
  }
  return ways;
}

function completed(events: readonly RecordedEvent[], path: string): boolean {
  return events.some(({ type, data }) => type === 'OperatorCompleted' && data.path === path);
}

/** Processes with everything in them that one can wait for; ends when all of them have. */
async function runAll(client: BatonClient, target: EffectTarget, round: string): Promise<void> {
  const orders = Array.from({ length: 4 }, (_, n) => `${round}-${n}`);
  // Kept before anybody waits for it.
  for (const key of orders) await client.sendMessage({ name: 'paid', key, payload: { amount: 1 } });
  const ids = await Promise.all(
    orders.map((order) => client.request({ definition: 'e2e/ways', inputs: { target: target.url, order } })),
  ).then((accepted) => accepted.map(({ id }) => id));
  await Promise.all(
    ids.map(async (id) => {
      await untilIn(client, id, (events) => ['approve', 'told'].every((path) => started(events, path).length === 1));
      const task = await eventually(async () => (await client.tasks({ process: id })).items[0]);
      await client.answerTask(task.id, { go: true });
      await client.sendToProcess(id, { name: 'go-on', payload: null });
    }),
  );
  // While \`held\` runs its executor has nothing to append: what was answered it must hear of, or find.
  await Promise.all(
    ids.map((id) => untilIn(client, id, (events) => ['approve', 'told'].every((path) => completed(events, path)))),
  );
  target.open('held');
  const ended = await Promise.all(ids.map((id) => client.waitForEnd(id)));
  expect(ended.map(({ status, error }) => [status, error])).toEqual(ids.map(() => ['completed', undefined]));
  // One that is driven is told to end.
  const { id } = await client.request({ definition: 'e2e/ways', inputs: { target: target.url, order: 'none' } });
  await untilIn(client, id, (events) => started(events, 'approve').length === 1);
  await client.cancel(id);
  expect((await client.waitForEnd(id)).status).toBe('cancelled');
  const events = await expectPromiseKept(client, target, ids);
  expect(countOf(events, 'ProcessTakenOver')).toBe(0);
}

describe.runIf(missing === null)('with Kafka as the bus', () => {
  let baton: StandaloneProcess;
  let target: EffectTarget;
  // A target of its own for each: the gate that one test opens stays open.
  beforeEach(async () => {
    target = await EffectTarget.start();
    baton = new StandaloneProcess();
  });
  afterEach(async () => {
    await baton.remove();
    await target.close();
  });

  it('everything runs over the bus alone: polls at an hour, NOTIFY off', async () => {
    const told = await baton.start(['--kafka', ...options], { BATON_NOTIFY: 'off', BATON_POLL_MS: hour });
    expect(told.brokers).toMatch(/^127\.0\.0\.1:\d+$/);
    const client = baton.client();
    for (const text of definitions) await client.publish(text);
    await runAll(client, target, 'bus');
    const ways = await waysOf(baton);
    expect(ways['admission by bus']).toBeGreaterThanOrEqual(5);
    expect(ways['claim by bus']).toBeGreaterThanOrEqual(5);
    expect(ways['reload by bus']).toBeGreaterThanOrEqual(1);
    expect(ways['message by bus']).toBe(4);
    expect(Object.keys(ways).filter((way) => /by (notify|poll)/.test(way))).toEqual([]);
    const delivered = await samplesOf(baton, ['intake'], 'baton_bus_delivered_total');
    expect(delivered.map(({ labels }) => labels['subscriber'])).toContain('intake');
    expect(await baton.signal('SIGTERM')).toEqual({ code: 0, signal: null });
    await untilGone(told.pids.kafka ?? 0);
  }, 300_000);

  it('everything runs over polls alone: Kafka killed for good, NOTIFY off', async () => {
    const before = await baton.start(['--kafka', '--no-restart', ...options], { BATON_NOTIFY: 'off' });
    const client = baton.client();
    const kafka = before.pids.kafka ?? 0;
    expect(isThere(kafka)).toBe(true);
    process.kill(kafka, 'SIGKILL');
    await baton.until(({ pids }) => pids.kafka === undefined);
    const earlier = await waysOf(baton);
    for (const text of definitions) await client.publish(text);
    await runAll(client, target, 'polls');
    const ways = await waysOf(baton);
    expect(ways['admission by poll']).toBeGreaterThanOrEqual(5);
    expect(ways['claim by poll']).toBeGreaterThanOrEqual(5);
    expect(ways['reload by poll']).toBeGreaterThanOrEqual(1);
    for (const way of Object.keys(ways).filter((name) => /by (bus|notify)/.test(name)))
      expect([way, ways[way]]).toEqual([way, earlier[way]]);
    const answer = await fetch(`${before.url}/health/ready`);
    expect(answer.status).toBe(200);
  }, 300_000);
});

it('the embedded bus does the same alone: polls at an hour, NOTIFY off', async () => {
  const [target, baton] = [await EffectTarget.start(), new StandaloneProcess()];
  try {
    const told = await baton.start(options, { BATON_NOTIFY: 'off', BATON_POLL_MS: hour });
    expect(told.brokers).toBeUndefined();
    const client = baton.client();
    for (const text of definitions) await client.publish(text);
    const { id } = await client.request({ definition: 'e2e/ways-child', inputs: { target: target.url } });
    expect((await client.waitForEnd(id)).status).toBe('completed');
    const ways = await waysOf(baton);
    expect(ways['admission by bus']).toBe(1);
    expect(ways['claim by bus']).toBeGreaterThanOrEqual(1);
    expect(Object.keys(ways).filter((way) => /by (notify|poll)/.test(way))).toEqual([]);
  } finally {
    await baton.remove();
    await target.close();
  }
});
