import { newProcessId } from '@baton/event-log';
import { kafkaMissing } from '@baton/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busContract } from '../contract/bus.contract.js';
import { Received } from '../contract/received.js';
import { systemTimers } from '../system-timers.js';
import { openKafkaBus } from './kafka-under-test.js';
import { topicNames } from './topics.js';

const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: the bus over a real Kafka broker; ${missing}`);
const describeKafka = missing === null ? describe : describe.skip;

describeKafka('with a real broker', () => busContract('Kafka', openKafkaBus));

describeKafka('the topics', () => {
  let bus: Awaited<ReturnType<typeof openKafkaBus>>;
  beforeAll(async () => {
    bus = await openKafkaBus();
  }, 240_000);
  afterAll(() => bus.close());

  it('make a dead letter of what is no event, and go on (D8)', async () => {
    const producer = bus.kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const messages = [
      { key: 'k', value: '{broken', partition: 0, headers: { ce_id: 'x', ce_type: 'y', ce_source: 'z' } },
    ];
    await producer.send({ topic: topicNames().process, messages });
    await producer.disconnect();
    const stream = newProcessId('c1');
    const received = new Received(stream);
    const subscription = bus.transport.subscribe({
      subscriber: 'poisoned',
      mode: 'inbox',
      events: new Set(['*']),
      handle: received.handle,
    });
    await subscription.start();
    await bus.append(stream, ['ProcessRequested', 'ProcessScheduled', 'ProcessCompleted']);
    await received.count(3);
    const letters = async () =>
      (await bus.pool.query("select origin, reason from bus_dead_letter where subscriber = 'poisoned'")).rows;
    while ((await letters()).length === 0);
    expect(await letters()).toMatchObject([{ origin: { transport: 'kafka', topic: 'baton.process', partition: 0 } }]);
    expect(subscription.healthy).toBe(true);
    await subscription.stop();
  });

  it('give no hints while nobody wants them, are heard of all the same, and go on at their end when somebody does', async () => {
    const [before, after] = [newProcessId('c1'), newProcessId('c1')];
    const [published, heard] = [new Received(before), new Received(after)];
    const seen: string[] = [];
    let isWanted = false;
    let skew = 0;
    let starts = 0;
    const opened = Promise.withResolvers<void>();
    const hints = { mode: 'hints' as const, events: new Set(['*']) };
    const timers = { ...systemTimers, now: () => performance.now() + skew };
    const over = bus.over({ isWanted: () => isWanted, timers, sessionTimeoutMs: 6_000 });
    const resting = over.subscribe({
      ...hints,
      subscriber: 'resting',
      handle: async (event) => {
        seen.push(event.subject);
        await heard.handle(event);
      },
      onStart: () => {
        starts += 1;
        if (starts === 2) opened.resolve();
      },
    });
    const other = bus.transport.subscribe({ ...hints, subscriber: 'awake', handle: published.handle });
    await Promise.all([resting.start(), other.start()]);
    await bus.append(before, ['ProcessRequested']);
    await published.count(1);
    skew = 29_000;
    expect(resting.healthy).toBe(false);
    while (!resting.healthy) await bus.pool.query('select 1');
    isWanted = true;
    await opened.promise;
    await bus.append(after, ['ProcessRequested']);
    await heard.count(1);
    expect(seen).toEqual([after]);
    await Promise.all([resting.stop(), other.stop()]);
  });

  it('hold keys, CloudEvents headers and JSON, and the lifecycle apart with the same ids', async () => {
    const stream = newProcessId('c1');
    const records: { topic: string; key: string; headers: Record<string, string>; value: unknown }[] = [];
    const consumer = bus.kafka.consumer({ groupId: 'anybody' });
    await consumer.connect();
    await consumer.subscribe({ topics: Object.values(topicNames()), fromBeginning: true });
    await new Promise<void>((resolve) => {
      void consumer.run({
        eachMessage: async ({ topic, message }) => {
          const key = message.key?.toString() ?? '';
          if (key !== stream) return;
          const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
          const value: unknown = JSON.parse(message.value?.toString() ?? 'null');
          records.push({ topic, key, headers: Object.fromEntries(headers), value });
          if (records.length === 5) resolve();
        },
      });
      void bus.append(stream, ['ProcessRequested', 'ProcessScheduled', 'ProcessRetried']);
    });
    await consumer.disconnect();
    const of = (topic: string) => records.filter((record) => record.topic === topic);
    expect(of('baton.process').map(({ headers }) => headers['ce_type'])).toEqual([
      'baton.process.requested.v1',
      'baton.process.scheduled.v1',
      'baton.process.retried.v1',
    ]);
    expect(of('baton.process.lifecycle').map(({ headers }) => headers['ce_id'])).toEqual(
      of('baton.process')
        .slice(0, 2)
        .map(({ headers }) => headers['ce_id']),
    );
    expect(of('baton.process')[0]).toMatchObject({
      headers: { ce_specversion: '1.0', ce_subject: stream, ce_sequence: '0000000001', ce_source: '/baton/c1/1' },
      value: { definition: { name: 'default/x' } },
    });
  });
});
