import { type BusProducer, KafkaTargets, kafkaClient, SendFailed } from '@baton/bus';
import { type KafkaBroker, kafkaBroker, kafkaMissing } from '@baton/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NotBegun } from '../operator.port.js';
import { effectContext } from '../shared/effect.fixture.js';
import { runPublish } from './publish.operator.js';

const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A producer that answers as it is told. */
function targetsOf(send: BusProducer['send']) {
  return { producer: () => ({ send }) };
}
const failing = (fault: SendFailed['fault'], outcome: SendFailed['outcome'], cause?: Error) =>
  targetsOf(async () => {
    throw new SendFailed(`it failed: ${fault}`, fault, outcome, { cause });
  });

describe('publish, without a broker', () => {
  it('says that there is no Kafka, and how to get one', async () => {
    const context = effectContext({ topic: 't', value: 1 });
    const result = await runPublish(context, { producer: () => null });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'no-kafka' } });
    expect(JSON.stringify(result)).toMatch(/KAFKA_BROKERS.*--kafka/);
    expect(context.begun).toBe(0);
  });

  it.each([
    ['away', 'connection'],
    ['no-such-topic', 'unknown-topic'],
    ['not-allowed', 'not-allowed'],
    ['too-large', 'too-large'],
    ['refused', 'refused'],
  ] as const)('takes %s before anything was sent for a known failure: %s (2)', async (fault, code) => {
    const result = await runPublish(effectContext({ topic: 't' }), failing(fault, 'not-sent'));
    expect(result).toMatchObject({ status: 'failed', error: { code } });
  });

  it('never takes what may have been written for a failure (3)', async () => {
    for (const fault of ['away', 'aborted', 'refused'] as const)
      expect(await runPublish(effectContext({ topic: 't' }), failing(fault, 'unknown'))).toMatchObject({
        status: 'unknown',
      });
  });

  it('has not begun when it was not let begin, or cut off before (4)', async () => {
    const refused = failing('aborted', 'not-sent', new NotBegun('the lease has run out'));
    expect(await runPublish(effectContext({ topic: 't' }), refused)).toEqual({
      status: 'not-begun',
      reason: 'the lease has run out',
    });
    const context = effectContext({ topic: 't' });
    context.abort('cancelled');
    expect(await runPublish(context, failing('aborted', 'not-sent'))).toMatchObject({ status: 'not-begun' });
    const late = effectContext({ topic: 't' });
    late.abort('timeout');
    expect(await runPublish(late, failing('aborted', 'not-sent'))).toMatchObject({
      status: 'failed',
      error: { code: 'timeout' },
    });
  });

  it('names what of its fields cannot be sent', async () => {
    const result = await runPublish(effectContext({ topic: 'a b', headers: { x: [] } }), failing('away', 'unknown'));
    expect(JSON.stringify(result)).toMatch(/topic: expected the name.*headers\.x/);
  });

  it('refuses a connection that is none of a Kafka, without telling its URL', async () => {
    const targets = new KafkaTargets({ cluster: null, clientId: 'spec', logger });
    const connection = (type: string, url: string) =>
      effectContext({ topic: 't', connection: 'k' }, { connection: async () => ({ type, url }) });
    const wrong = await runPublish(connection('postgresql', 'postgres://u:hunter2@h/d'), targets);
    expect(wrong).toMatchObject({ status: 'failed', error: { code: 'wrong-connection' } });
    const bad = await runPublish(connection('kafka', 'kafka://u:hunter2@h'), targets);
    expect(bad).toMatchObject({ status: 'failed', error: { code: 'wrong-connection' } });
    expect(JSON.stringify([wrong, bad])).not.toContain('hunter2');
  });
});

describe.skipIf(kafkaMissing())('publish, to a real broker', () => {
  let broker: KafkaBroker;
  let targets: KafkaTargets;
  beforeAll(async () => {
    broker = await kafkaBroker();
    const cluster = { brokers: broker.brokers, clientId: 'spec' };
    targets = new KafkaTargets({ cluster, clientId: 'spec', logger });
    const admin = kafkaClient(cluster, logger).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 3 }], waitForLeaders: true });
    await admin.disconnect();
  });
  afterAll(async () => {
    await targets.close();
    await broker.stop();
  });

  /** Everything that stands in the topic, by key. */
  async function records(count: number) {
    const consumer = kafkaClient({ brokers: broker.brokers, clientId: 'reader' }, logger).consumer({
      groupId: `reader-${count}`,
    });
    await consumer.connect();
    await consumer.subscribe({ topic: 'orders', fromBeginning: true });
    const read: { partition: number; offset: number; key?: string; value?: string; headers: object }[] = [];
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ partition, message }) => {
            const { key, value, headers = {}, offset } = message;
            const texts = Object.entries(headers).map(([name, one]) => [name, String(one)]);
            const text = { key: key?.toString(), value: value?.toString(), headers: Object.fromEntries(texts) };
            read.push({ partition, offset: Number(offset), ...text });
            if (read.length === count) resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    return read;
  }

  it('writes key, value and headers, and says where they stand; a consumer can tell a repetition (1, 4, 5)', async () => {
    const value = { id: 7, text: 'ü' };
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const change = { traceparent, path: 'tell[eu]' };
    const first = effectContext({ topic: 'orders', key: 'c1', value, headers: { kind: 'new', n: 3 } }, change);
    const again = effectContext({ topic: 'orders', key: 'c1', value: 'text' }, { attempt: 2 });
    const one = await runPublish(first, targets);
    const two = await runPublish(again, targets);
    const three = await runPublish(effectContext({ topic: 'orders' }), targets);
    expect([first.begun, again.begun]).toEqual([1, 1]);
    const read = await records(3);
    const at = (result: typeof one) => {
      if (result.status !== 'completed') throw new Error(JSON.stringify(result));
      return read.find(({ partition, offset }) =>
        expect.objectContaining({ partition, offset }).asymmetricMatch(result.output),
      );
    };
    expect(at(one)).toMatchObject({
      key: 'c1',
      value: JSON.stringify(value),
      headers: {
        kind: 'new',
        n: '3',
        'idempotency-key': 'key-1',
        'baton-process': 'c1-0190',
        'baton-path': 'tell[eu]',
        'baton-attempt': '1',
        traceparent,
      },
    });
    expect(at(two)).toMatchObject({ value: 'text', headers: { 'idempotency-key': 'key-1', 'baton-attempt': '2' } });
    expect(at(two)?.partition).toBe(at(one)?.partition);
    expect(at(three)).toMatchObject({ key: 'c1-0190' });
    expect(at(three)?.value).toBeUndefined();
  });

  it('knows that a topic is not there, and that what is too large was not written (2)', async () => {
    expect(await runPublish(effectContext({ topic: 'nowhere' }), targets)).toMatchObject({
      status: 'failed',
      error: { code: 'unknown-topic' },
    });
    const large = effectContext({ topic: 'orders', value: 'x'.repeat(3_000_000) });
    expect(await runPublish(large, targets)).toMatchObject({ status: 'failed', error: { code: 'too-large' } });
  });

  it('goes to the Kafka of a connection', async () => {
    const own = new KafkaTargets({ cluster: null, clientId: 'spec', logger });
    const url = `kafka://${broker.brokers}`;
    const context = effectContext(
      { topic: 'orders', connection: 'k' },
      { connection: async () => ({ type: 'kafka', url }) },
    );
    expect(await runPublish(context, own)).toMatchObject({ status: 'completed' });
    await own.close();
  });

  it('does not know what became of a record when the broker hangs; nothing is known of a failure (3)', async () => {
    process.kill(broker.pid, 'SIGSTOP');
    try {
      const result = await runPublish(effectContext({ topic: 'orders' }, { timeout: 1_500 }), targets);
      expect(result).toMatchObject({ status: 'unknown', reason: expect.stringContaining('time of the attempt') });
    } finally {
      process.kill(broker.pid, 'SIGCONT');
    }
  });

  it('knows that nothing was sent when no broker is there (2)', async () => {
    const nobody = new KafkaTargets({
      cluster: { brokers: '127.0.0.1:1', clientId: 'spec' },
      clientId: 'spec',
      logger,
      timeoutMs: 1_000,
    });
    const context = effectContext({ topic: 'orders' }, { timeout: 1_000 });
    const result = await runPublish(context, nobody);
    expect(result).toMatchObject({ status: 'failed' });
    expect(context.begun).toBe(0);
    await nobody.close();
  });
});
