import { type KafkaBroker, kafkaBroker, kafkaMissing } from '@baton/testing';
import type { Admin, Kafka } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../contract/bus-log.fixture.js';
import { kafkaClient } from './kafka-client.js';
import { KafkaProducer } from './kafka-producer.js';

const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: the producer over a real Kafka broker; ${missing}`);

describe.runIf(missing === null)('the producer', () => {
  let broker: KafkaBroker;
  let kafka: Kafka;
  let admin: Admin;
  let producer: KafkaProducer;
  beforeAll(async () => {
    broker = await kafkaBroker();
    kafka = kafkaClient({ brokers: broker.brokers, clientId: 'spec' }, silentLogger);
    admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      topics: [
        { topic: 'orders', numPartitions: 4 },
        { topic: 'small', numPartitions: 1, configEntries: [{ name: 'max.message.bytes', value: '1000' }] },
      ],
    });
    producer = new KafkaProducer({ kafka, logger: silentLogger, timeoutMs: 20_000 });
  }, 240_000);
  afterAll(async () => {
    await producer.close();
    await admin.disconnect();
    await broker.stop();
  });

  /** As many records as the topic holds. */
  const held = async (topic: string) =>
    (await admin.fetchTopicOffsets(topic)).reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);

  it('tells where each record came to stand: those of one key in one partition, one after the other', async () => {
    const messages = ['a', 'b', 'a', 'c', 'a'].map((key, n) => ({ key, value: `${n}`, headers: { n: `${n}` } }));
    const sent = await producer.send('orders', messages);
    const ofA = sent.filter((_, n) => messages[n]?.key === 'a');
    expect(new Set(ofA.map(({ partition }) => partition)).size).toBe(1);
    const offsets = ofA.map(({ offset }) => Number(offset));
    expect(offsets).toEqual([...offsets].sort((one, other) => one - other));
    expect(new Set(offsets).size).toBe(3);
    const again = await producer.send('orders', [{ key: 'a', value: 'again' }]);
    expect(Number(again[0]?.offset)).toBeGreaterThan(Number(offsets.at(-1)));
    expect(again[0]?.partition).toBe(ofA[0]?.partition);
    await Promise.all(Array.from({ length: 50 }, (_, n) => producer.send('orders', [{ value: `${n}` }])));
    expect(await held('orders')).toBe(56);
  });

  it('says that nothing was written where the broker refuses: no such topic, too large; and goes on (4)', async () => {
    await expect(producer.send('nowhere', [{ value: 'x' }])).rejects.toMatchObject({
      fault: 'no-such-topic',
      outcome: 'not-sent',
      message: expect.stringMatching(/Create the topic/),
    });
    await expect(producer.send('small', [{ value: 'x'.repeat(5_000) }])).rejects.toMatchObject({
      fault: 'too-large',
      outcome: 'not-sent',
    });
    expect(await producer.send('small', [{ value: 'x' }])).toEqual([{ partition: 0, offset: '0' }]);
  });

  it('ends within its time while the broker hangs, as unknown; what it then still writes is there once (2, 3)', async () => {
    await producer.send('small', [{ value: 'before' }]);
    const before = await held('small');
    process.kill(broker.pid, 'SIGSTOP');
    await expect(producer.send('small', [{ value: 'hung' }], { timeoutMs: 300 })).rejects.toMatchObject({
      fault: 'away',
      outcome: 'unknown',
    });
    const other = new KafkaProducer({ kafka, logger: silentLogger });
    await expect(other.send('small', [{ value: 'never' }], { timeoutMs: 300 })).rejects.toMatchObject({
      outcome: 'not-sent',
    });
    const late = producer.send('small', [{ value: 'late' }]);
    process.kill(broker.pid, 'SIGCONT');
    await late;
    expect(await held('small')).toBe(before + 2);
    await other.close();
  });

  it('says who called it off, and that no broker is there is known at once to have sent nothing', async () => {
    const nobody = kafkaClient({ brokers: '127.0.0.1:9', clientId: 'spec' }, silentLogger);
    const alone = new KafkaProducer({ kafka: nobody, logger: silentLogger });
    await expect(alone.send('orders', [{ value: 'x' }], { timeoutMs: 200 })).rejects.toMatchObject({
      fault: 'away',
      outcome: 'not-sent',
    });
    const signal = AbortSignal.abort();
    await expect(alone.send('orders', [{ value: 'x' }], { signal })).rejects.toMatchObject({ fault: 'aborted' });
    await alone.close();
    await expect(alone.send('orders', [{ value: 'x' }])).rejects.toThrow(/closed/);
  });
});
