import { readFileSync } from 'node:fs';
import { kafkaClient } from '@baton/bus';
import { requestEventType } from '@baton/contracts';
import { type KafkaBroker, kafkaBroker, kafkaMissing, OtlpReceiver } from '@baton/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './patience.js';
import { untilIn } from './process.audit.js';
import { samplesOf } from './service.metrics.js';
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
  let receiver: OtlpReceiver;
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
    receiver = await OtlpReceiver.start();
    baton = new StandaloneProcess();
    await baton.start(['--executors', '1', '--brokers', broker.brokers, '--otlp', receiver.url], {
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
    });
  }, 240_000);
  afterAll(async () => {
    for (const stop of stops) await stop();
    await producer?.disconnect();
    await baton?.remove();
    await receiver?.goAway();
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

  it('each event of a process on its topic names the exported span that it belongs to', async () => {
    const { items } = await baton.client().processes({ definition: 'examples/credit-check' });
    const id = items[0]?.id ?? '';
    const records: { type: string; path: string | undefined; headers: Record<string, string> }[] = [];
    const ended = Promise.withResolvers<void>();
    await read('baton.process', (key, value, headers) => {
      if (key !== id) return;
      const { path } = JSON.parse(value) as { path?: string };
      records.push({ type: headers['ce_type'] ?? '', path, headers });
      if (headers['ce_type'] === 'baton.process.completed.v1') ended.resolve();
    });
    await ended.promise;
    const spans = await receiver.wholeTrace(id);
    const known = new Map(spans.map((span) => [`00-${span.traceId}-${span.spanId}-01`, span]));
    for (const { type, headers } of records) {
      expect(known.has(headers['traceparent'] ?? ''), `${type} ${headers['traceparent']}`).toBe(true);
      expect(headers['ce_traceparent']).toBe(headers['traceparent']);
    }
    const process = known.get(records[0]?.headers['traceparent'] ?? '');
    expect(process).toMatchObject({
      name: 'process examples/credit-check',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331', // of the event that asked for it
    });
    const attempts = records.filter(({ type }) => type === 'baton.process.operator-started.v1');
    expect(attempts.map(({ path }) => path)).toContain('told');
    for (const { path, headers } of attempts)
      expect(known.get(headers['traceparent'] ?? '')).toMatchObject({
        attributes: { 'baton.operator.path': path, 'baton.operator.attempt': 1 },
        parentSpanId: process?.spanId,
      });
  });

  it('a consumer group that stands is behind by what the broker holds, in the metrics too', async () => {
    const topic = 'baton.process';
    const admin = kafka.admin();
    await admin.connect();
    try {
      const offsets = await admin.fetchTopicOffsets(topic);
      const partitions = offsets.map(({ partition, low }) => ({ partition, offset: low }));
      await admin.setOffsets({ groupId: 'baton.stands', topic, partitions });
      const held = offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
      expect(held).toBeGreaterThan(0);
      const behind = await eventually(async () => {
        const lags = await samplesOf(baton, ['scheduler'], 'baton_bus_consumer_lag');
        return lags.find(({ labels }) => labels['group'] === 'baton.stands');
      });
      expect(behind).toMatchObject({ labels: { topic }, value: held });
    } finally {
      await admin.disconnect();
    }
    const lag = await receiver.until(() => receiver.metrics.get('baton.bus.consumer-lag'));
    expect(lag).toEqual({ unit: '{event}', service: 'baton-scheduler' });
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
