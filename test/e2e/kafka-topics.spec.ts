import { readFileSync } from 'node:fs';
import { kafkaClient } from '@baton/bus';
import { requestEventType } from '@baton/contracts';
import { type KafkaBroker, kafkaBroker, kafkaMissing } from '@baton/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { untilIn } from './process.audit.js';
import { StandaloneProcess } from './standalone.process.js';

const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: processes over a real Kafka broker; ${missing}`);

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const example = readFileSync(new URL('../../examples/credit-check/process.yaml', import.meta.url), 'utf8');
const told = `
kind: Process
name: e2e/told
operators:
  tell: { type: publish, topic: credit.decisions, value: "\${{ process.id }}", timeout: 2s, recovery: rerun }
  asked: { type: publish, after: [tell], topic: credit.decisions, key: asked, value: 1, timeout: 2s, recovery: ask }
`;

describe.runIf(missing === null)('topics, from the outside', () => {
  let broker: KafkaBroker;
  let baton: StandaloneProcess;
  let kafka: ReturnType<typeof kafkaClient>;
  let producer: ReturnType<ReturnType<typeof kafkaClient>['producer']>;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    broker = await kafkaBroker();
    kafka = kafkaClient({ brokers: broker.brokers, clientId: 'spec' }, quiet);
    const admin = kafka.admin();
    await admin.connect();
    const topics = ['credit.questions', 'credit.answers', 'credit.decisions'];
    await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 1 })), waitForLeaders: true });
    await admin.disconnect();
    producer = kafka.producer();
    await producer.connect();
    baton = new StandaloneProcess();
    await baton.start(['--executors', '1', '--brokers', broker.brokers]);
  }, 240_000);
  afterAll(async () => {
    for (const stop of stops) await stop();
    await producer?.disconnect();
    await baton?.remove();
    await broker?.stop();
  });

  /** Each record of a topic from its beginning. */
  async function read(
    topic: string,
    onRecord: (key: string, value: string, headers: Record<string, string>) => unknown,
  ) {
    const consumer = kafka.consumer({ groupId: `spec-${topic}-${stops.length}` });
    stops.push(() => consumer.disconnect());
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message: { key, value, headers = {} } }) => {
        const texts = Object.entries(headers).map(([name, text]) => [name, String(text)]);
        await onRecord(String(key), String(value), Object.fromEntries(texts));
      },
    });
  }

  it('a process that is asked for by an event asks over a topic, and takes its answer from another', async () => {
    const client = baton.client();
    const { warnings = [] } = await client.publish(example);
    expect(warnings).toEqual([]);
    // The other team's service: it answers at once, before or after the process waits.
    await read('credit.questions', async (key, value) => {
      const { question } = JSON.parse(value) as { question: string };
      const answer = (id: string, granted: boolean) => ({ key, value: JSON.stringify({ question: id, granted }) });
      await producer.send({ topic: 'credit.answers', messages: [answer('another', false), answer(question, true)] });
    });
    const decisions: { key: string; value: unknown; headers: Record<string, string> }[] = [];
    const decided = Promise.withResolvers<void>();
    await read('credit.decisions', (key, value, headers) => {
      decisions.push({ key, value: JSON.parse(value) as unknown, headers });
      decided.resolve();
    });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = {
      ce_specversion: '1.0',
      ce_id: 'application-1',
      ce_source: '/branch/7',
      ce_type: requestEventType,
      ce_batontoken: baton.told().token,
      traceparent,
    };
    const value = JSON.stringify({ definition: 'examples/credit-check', inputs: { customer: 'c7', amount: 100 } });
    for (let time = 0; time < 3; time++)
      await producer.send({ topic: 'baton.request', messages: [{ key: 'c7', value, headers }] });
    await decided.promise;
    const { items } = await client.processes({ definition: 'examples/credit-check' });
    expect(items).toHaveLength(1);
    const id = items[0]?.id ?? '';
    expect(await client.waitForEnd(id)).toMatchObject({ status: 'completed', outputs: { granted: true } });
    expect(decisions).toMatchObject([{ key: 'c7', value: { customer: 'c7', granted: true } }]);
    expect(decisions[0]?.headers).toMatchObject({
      'baton-process': id,
      'baton-path': 'told',
      'baton-attempt': '1',
      'idempotency-key': expect.stringMatching(/.{16,}/),
      traceparent: expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-/),
    });
    expect(JSON.stringify(await client.events(id, { limit: 100 }))).not.toContain(baton.told().token);
  });

  it('a record whose acknowledgement never came is in doubt: its recovery decides, a failure is never made up', async () => {
    const client = baton.client();
    await client.publish(told);
    process.kill(broker.pid, 'SIGSTOP');
    const { id } = await client.request({ definition: 'e2e/told' });
    try {
      // The executor has a connection since the test before: without one nothing would be in doubt.
      await untilIn(client, id, (events) => events.some(({ type }) => type === 'OperatorOutcomeUnknown'));
    } finally {
      process.kill(broker.pid, 'SIGCONT');
    }
    expect(await client.waitForEnd(id)).toMatchObject({ status: 'completed' });
    const events = (await client.events(id, { limit: 100 })).items;
    const of = (type: string) => events.filter((event) => event.type === type);
    expect(of('OperatorFailed')).toEqual([]);
    expect(of('OperatorOutcomeUnknown')[0]?.data).toMatchObject({ path: 'tell', recovery: 'rerun' });
  });
});
