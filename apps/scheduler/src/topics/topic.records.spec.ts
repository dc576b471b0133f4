import { kafkaClient, keptRecord, PostgresDeadLetters } from '@baton/bus';
import { PostgresTopicStore } from '@baton/event-log';
import type { ProcessEvent, WaitsFor } from '@baton/process';
import { type KafkaBroker, kafkaBroker, kafkaMissing } from '@baton/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentMeter } from '../scheduler.ports.js';
import { Cell, quietLogger } from '../testing/cell.fixture.js';
import { TopicRecords } from './topic.records.js';

const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: records of topics of a real Kafka broker; ${missing}`);

const scheduled: ProcessEvent = { type: 'ProcessScheduled', data: {} };
const claimed: ProcessEvent = { type: 'ProcessStarted', data: { executor: 'x' } };

describe.runIf(missing === null)('records of topics, from a real broker', () => {
  let cell: Cell;
  let broker: KafkaBroker;
  let store: PostgresTopicStore;
  let records: TopicRecords;
  let kafka: ReturnType<typeof kafkaClient>;
  let producer: ReturnType<ReturnType<typeof kafkaClient>['producer']>;
  let admin: ReturnType<ReturnType<typeof kafkaClient>['admin']>;

  const open = () => {
    const opened = new TopicRecords({
      kafka: { brokers: broker.brokers, topics: { partitions: 2, replication: 1 } },
      store,
      rows: new PostgresDeadLetters(cell.pool),
      lease: { hold: async () => 1n },
      commands: cell.commands,
      keepMs: () => 3_600_000,
      kept: () => undefined,
      logger: quietLogger,
      meter: silentMeter,
      refreshMs: 200,
    });
    opened.start();
    return opened;
  };
  beforeAll(async () => {
    [cell, broker] = await Promise.all([Cell.open(), kafkaBroker()]);
    store = new PostgresTopicStore(cell.pool, 'c1');
    kafka = kafkaClient({ brokers: broker.brokers, clientId: 'spec' }, quietLogger);
    producer = kafka.producer();
    admin = kafka.admin();
    await Promise.all([producer.connect(), admin.connect()]);
    await create('baton.dead-letter');
    records = open();
  }, 240_000);
  afterAll(async () => {
    await records?.stop();
    await Promise.all([producer?.disconnect(), admin?.disconnect()]);
    await cell?.close();
    await broker?.stop();
  });

  // kafkajs's own wait for leaders fails on a topic that is made this moment: `send` waits instead.
  const create = (topic: string) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: false });
  /** A topic that was made a moment ago may have no leader yet. */
  async function send(topic: string, value: string, more: { timestamp?: string; partition?: number } = {}) {
    for (;;) {
      try {
        return await producer.send({ topic, messages: [{ key: 'k', value, ...more }] });
      } catch (error) {
        quietLogger.debug({ err: error }, 'once more');
      }
    }
  }
  async function waiting(topic: string, attempt = 1): Promise<string> {
    const stream = await cell.request();
    const waitsFor: WaitsFor = { kind: 'topic', topic };
    await cell.follow(stream, scheduled, claimed, {
      type: 'OperatorStarted',
      data: { path: 'r', type: 'receive', class: 'waiting', attempt, executor: 'x', waitsFor },
    });
    return stream;
  }
  async function payload(stream: string): Promise<unknown> {
    for (;;) {
      await records.round();
      const event = (await cell.log.read(stream)).find(({ type }) => type === 'MessageReceived');
      if (event?.type === 'MessageReceived') return event.data.payload;
    }
  }
  async function kept(topic: string, count: number): Promise<void> {
    while ((await store.open(topic, 0n, 100)).length < count);
  }

  it('begin with those that came since the topic is watched, and wait for their receivers', async () => {
    await create('early');
    await send('early', '"before"', { timestamp: String(Date.now() - 3_600_000), partition: 0 });
    await store.watch([{ topic: 'early', keepMs: null }]);
    await send('early', '{"n":1}', { partition: 0 });
    await send('early', '{"n":2}', { partition: 0 });
    await kept('early', 2);
    const [one, two] = [await waiting('early'), await waiting('early')];
    expect([await payload(one), await payload(two)]).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('are read of a topic that is made only after it is watched, and of every partition', async () => {
    await store.watch([{ topic: 'late', keepMs: null }]);
    const streams = [await waiting('late'), await waiting('late')];
    await create('late');
    await send('late', '1', { partition: 0 });
    await send('late', '1', { partition: 1 });
    expect(await Promise.all(streams.map(payload))).toEqual([1, 1]);
  });

  it('are read of a topic that no definition is known to name, for a receiver that waits', async () => {
    await create('unwatched');
    const stream = await waiting('unwatched');
    await send('unwatched', '"heard"');
    expect(await payload(stream)).toBe('heard');
  });

  it('come once when the group of consumers forgets its offsets', async () => {
    await store.watch([{ topic: 'again', keepMs: null }]);
    await create('again');
    for (const n of [1, 2, 3]) await send('again', String(n), { partition: 0 });
    await kept('again', 3);
    const first = await waiting('again');
    expect(await payload(first)).toBe(1);
    await records.stop();
    await admin.resetOffsets({ groupId: 'baton.topic-records', topic: 'again', earliest: true });
    records = open();
    await send('again', '4', { partition: 0 });
    const streams = [];
    for (let count = 0; count < 3; count++) streams.push(await waiting('again'));
    expect(await Promise.all(streams.map(payload))).toEqual([2, 3, 4]);
    expect(await store.open('again', 0n, 10)).toEqual([]);
  });

  it('that no process can take go to the dead letters with key, place and reason, and the next is taken', async () => {
    await store.watch([{ topic: 'poison', keepMs: null }]);
    await create('poison');
    const stream = await waiting('poison');
    await send('poison', '{"$secret":"password"}', { partition: 0 });
    await send('poison', '"good"', { partition: 0 });
    expect(await payload(stream)).toBe('good');
    const consumer = kafka.consumer({ groupId: 'reader' });
    await consumer.connect();
    await consumer.subscribe({ topic: 'baton.dead-letter', fromBeginning: true });
    const letter = await new Promise<object>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ message: { key, value, headers = {} } }) => {
            const texts = Object.entries(headers).map(([name, text]) => [name, String(text)]);
            resolve({ key: String(key), value: String(value), ...Object.fromEntries(texts) });
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    expect(letter).toMatchObject({
      key: 'k',
      value: '{"$secret":"password"}',
      baton_topic: 'poison',
      baton_partition: '0',
      baton_offset: '0',
      baton_subscriber: 'topic-records',
      baton_reason: expect.stringContaining('$secret'),
    });
    // Replayed, it is looked at again, and the reason is told.
    const ask = "update bus_dead_letter set replay_requested_at = now() where subscriber = 'topic-records'";
    await cell.pool.query(ask);
    for (let error: string | null = null; error === null; ) {
      const { rows } = await cell.pool.query<{ replay_error: string | null }>(
        'select replay_error from bus_dead_letter',
      );
      error = rows[0]?.replay_error ?? null;
      if (error !== null) expect(error).toMatch(/\$secret.*send it again/);
    }
  });

  it('that a release can take which could not be taken before go to their topic again when they are replayed', async () => {
    await store.watch([{ topic: 'mended', keepMs: null }]);
    await create('mended');
    const stream = await waiting('mended');
    const place = { topic: 'mended', partition: 0, offset: '0', timestamp: new Date(0).toISOString() };
    const original = { key: Buffer.from('k'), value: Buffer.from('"mended"'), headers: {} };
    const data = JSON.stringify({ name: 'record', data: { record: keptRecord(place, original) } });
    await cell.pool.query(
      `insert into bus_dead_letter (subscriber, event_id, type, subject, event, origin, reason, attempts, replay_requested_at)
        values ('topic-records', gen_random_uuid(), 'record', 'k', $1, '{}', 'of an older release', 1, now())`,
      [data],
    );
    expect(await payload(stream)).toBe('mended');
  });

  it('begin anew with a topic that was made anew', async () => {
    await store.watch([{ topic: 'anew', keepMs: null }]);
    await create('anew');
    for (const n of [1, 2, 3]) await send('anew', String(n), { partition: 0 });
    await kept('anew', 3);
    await admin.deleteTopics({ topics: ['anew'] });
    while ((await admin.listTopics()).includes('anew'));
    await create('anew');
    while ((await store.positions('anew')).get(0) !== 0n);
    await send('anew', '"new"', { partition: 0 });
    await kept('anew', 4);
    const streams = [];
    for (let count = 0; count < 4; count++) streams.push(await waiting('anew'));
    expect(await Promise.all(streams.map(payload))).toEqual([1, 2, 3, 'new']);
  });

  it('are taken when the broker has been away', async () => {
    const stream = await waiting('early');
    process.kill(broker.pid, 'SIGSTOP');
    const sent = send('early', '"after"', { partition: 0 });
    await records.round();
    process.kill(broker.pid, 'SIGCONT');
    await sent;
    expect(await payload(stream)).toBe('after');
  });
});
