import { deadLetterHeaders, recordBytes } from '@baton/contracts';
import { newProcessId, uuidv7 } from '@baton/event-log';
import { kafkaMissing } from '@baton/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Subscription, SubscriptionOptions } from '../bus.ports.js';
import { Received } from '../contract/received.js';
import { PostgresPublisherStore } from '../publisher/publisher-store.js';
import { Republisher } from '../publisher/republisher.js';
import { systemTimers } from '../system-timers.js';
import { type KafkaUnderTest, openKafkaBus } from './kafka-under-test.js';
import { topicNames } from './topics.js';

const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: outages of a real Kafka broker; ${missing}`);

const names = topicNames();
const topics = { partitions: 3, replication: 1 };
interface Raw {
  key: string;
  value: string | null;
  headers: Record<string, string>;
  bytes: number;
}

/** The D rows of failures that the contract does not try: they need a broker that is stopped, emptied or changed. */
describe.runIf(missing === null)('Kafka that hangs, forgets and changes', { timeout: 90_000 }, () => {
  let bus: KafkaUnderTest;
  const running: Subscription[] = [];
  beforeAll(async () => {
    bus = await openKafkaBus();
  }, 240_000);
  afterEach(async () => {
    await Promise.all(running.splice(0).map((subscription) => subscription.stop()));
  });
  afterAll(() => bus.close());

  const subscribe = async (
    handle: SubscriptionOptions['handle'],
    more: Partial<SubscriptionOptions> & { over?: KafkaUnderTest['transport'] } = {},
  ) => {
    const { over = bus.transport, ...rest } = more;
    const options = { subscriber: `spec-${uuidv7()}`, mode: 'inbox' as const, events: new Set(['*']), handle, ...rest };
    const subscription = over.subscribe(options);
    running.push(subscription);
    await subscription.start();
    return { subscription, subscriber: options.subscriber };
  };
  /** Reads a topic as anybody would, until `enough` says so. */
  const readTopic = async (topic: string, enough: (records: Raw[]) => boolean): Promise<Raw[]> => {
    const consumer = bus.kafka.consumer({ groupId: `anybody-${uuidv7()}` });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const records: Raw[] = [];
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ message: { key, value, headers = {} } }) => {
            const texts = Object.entries(headers).map(([name, text]) => [name, String(text)]);
            const bytes = (value?.length ?? 0) + JSON.stringify(texts).length;
            const record = { key: String(key), value: value?.toString() ?? null, bytes };
            records.push({ ...record, headers: Object.fromEntries(texts) });
            if (enough(records)) resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    return records;
  };
  const withAdmin = async <T>(work: (admin: ReturnType<KafkaUnderTest['kafka']['admin']>) => Promise<T>) => {
    const admin = bus.kafka.admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  };
  const state = () => new PostgresPublisherStore(bus.pool, 'c1').load('kafka-publisher');

  it('carries a reference when a record would be too long, and hands the data whole to who subscribes here (D10)', async () => {
    const stream = newProcessId('c1');
    const inputs = { text: 'é'.repeat(2_500_000) };
    const received = new Received(stream);
    await subscribe(received.handle);
    await bus.log.append(stream, ['ProcessRequested'], inputs);
    await received.count(1);
    expect(received.events[0]?.data).toMatchObject({ inputs });
    const records = await readTopic(names.process, (all) => all.some(({ key }) => key === stream));
    const record = records.find(({ key }) => key === stream);
    expect(record?.bytes).toBeLessThan(recordBytes);
    const href = `/v1/processes/${stream}/events?after=0&limit=1`;
    expect(record?.headers['ce_dataref']).toBe(href);
    expect(JSON.parse(record?.value ?? '')).toMatchObject({ reference: { href } });
  });

  it('writes what a handler cannot handle to the dead-letter topic, whole, with place and reason (D8)', async () => {
    const stream = newProcessId('c1');
    const { subscriber } = await subscribe(async (event) => {
      if (event.subject === stream) throw new TypeError('no such thing');
    });
    await bus.append(stream, ['ProcessRequested']);
    const mine = ({ headers }: Raw) => headers[deadLetterHeaders.subscriber] === subscriber;
    const record = (await readTopic(names.deadLetter, (all) => all.some(mine))).find(mine);
    expect(record).toMatchObject({
      key: stream,
      headers: {
        ce_type: 'baton.process.requested.v1',
        ce_subject: stream,
        [deadLetterHeaders.topic]: names.process,
        [deadLetterHeaders.reason]: 'TypeError: no such thing',
        [deadLetterHeaders.attempts]: '3',
      },
    });
    expect(JSON.parse(record?.value ?? '')).toMatchObject({ definition: { name: 'default/x' } });
  });

  it('keeps a member in its group while its handler takes its time and others join: nothing twice (D3, D4)', async () => {
    const streams = Array.from({ length: 6 }, () => newProcessId('c1'));
    const subscriber = `spec-${uuidv7()}`;
    const handled: string[] = [];
    const all = Promise.withResolvers<void>();
    const joined = Promise.withResolvers<void>();
    const handle: SubscriptionOptions['handle'] = async (event, context) => {
      if (!streams.includes(event.subject)) return;
      await context.transaction(async () => {
        // Until the other is a member: longer than a rebalance.
        await joined.promise;
      });
      // Only now it is committed: the other member may be done before.
      handled.push(event.id);
      if (new Set(handled).size === streams.length) all.resolve();
    };
    const over = () => bus.over({ sessionTimeoutMs: 6_000 });
    await subscribe(handle, { subscriber, over: over() });
    for (const stream of streams) await bus.append(stream, ['ProcessRequested']);
    await subscribe(handle, { subscriber, over: over() });
    joined.resolve();
    await all.promise;
    const { rows } = await bus.pool.query(
      'select count(*)::int as n from bus_inbox i join event e on e.event_id = i.event_id where subscriber = $1 and e.stream_id = any($2)',
      [subscriber, streams.map((stream) => stream.slice(3))],
    );
    expect(rows).toEqual([{ n: streams.length }]);
    expect(handled).toHaveLength(streams.length);
  });

  it('ends a round in time when the broker hangs; appends go on, and all is there in order after it (D2, D9)', async () => {
    await bus.stopPublishing();
    const stream = newProcessId('c1');
    const received = new Received(stream);
    let skew = 0;
    const timers = {
      now: () => performance.now() + skew,
      sleep: (ms: number, signal: AbortSignal) => systemTimers.sleep(ms > 60_000 ? ms : Math.min(ms, 200), signal),
    };
    const { subscription } = await subscribe(received.handle, { over: bus.over({ timers }) });
    const publisher = bus.publisher({ requestTimeoutMs: 1_000 });
    await bus.append(stream, ['ProcessRequested']);
    while (await publisher.round());
    await received.count(1);
    process.kill(bus.broker.pid, 'SIGSTOP');
    try {
      await bus.append(stream, ['ProcessScheduled']);
      await expect(publisher.round()).rejects.toThrow();
      expect(publisher.status.error).not.toBeNull();
      // Half a minute without a sign of the broker.
      skew = 29_000;
      expect(subscription.healthy).toBe(false);
    } finally {
      process.kill(bus.broker.pid, 'SIGCONT');
    }
    await bus.append(stream, ['ProcessCompleted']);
    while (received.events.length < 3) await publisher.round().catch(() => false);
    expect(received.events.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(publisher.status.error).toBeNull();
    await publisher.close();
  });

  it('leaves a frozen publisher no say: the other goes on, and what is repeated is handled once, in order (D7)', async () => {
    const stream = newProcessId('c1');
    const received = new Received(stream);
    await subscribe(received.handle);
    const thawed = Promise.withResolvers<void>();
    const frozen = Promise.withResolvers<void>();
    const store = new PostgresPublisherStore(bus.pool, 'c1');
    const first = bus.publisher({
      store: {
        load: (lane) => store.load(lane),
        goBack: (...given) => store.goBack(...given),
        positionSince: (time) => store.positionSince(time),
        async move(...given) {
          frozen.resolve();
          await thawed.promise;
          return store.move(...given);
        },
      },
    });
    const second = bus.publisher();
    await bus.append(stream, ['ProcessRequested', 'ProcessScheduled']);
    const round = first.round();
    await frozen.promise;
    await bus.append(stream, ['ProcessCompleted']);
    while (await second.round());
    const reached = (await state()).position;
    thawed.resolve();
    await round;
    expect((await state()).position).toEqual(reached);
    await received.count(3);
    expect(received.events.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    await Promise.all([first.close(), second.close()]);
  });

  it('handles each event once though partitions are added and keys move (D6)', async () => {
    const streams = Array.from({ length: 12 }, () => newProcessId('c1'));
    const publisher = bus.publisher();
    const seen = new Map<string, number[]>();
    let waiting: { n: number; resolve: () => void } | null = null;
    const count = (n: number) => new Promise<void>((resolve) => (waiting = { n, resolve }));
    const over = bus.over({ metadataMaxAgeMs: 1_000 });
    const handle: SubscriptionOptions['handle'] = async ({ subject, sequence }) => {
      if (!streams.includes(subject)) return;
      seen.set(subject, [...(seen.get(subject) ?? []), sequence]);
      if (waiting && [...seen.values()].flat().length >= waiting.n) waiting.resolve();
    };
    await subscribe(handle, { over });
    for (const stream of streams) await bus.append(stream, ['ProcessRequested']);
    const before = count(streams.length);
    while (await publisher.round());
    await before;
    await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic: names.process, count: 5 }] }));
    for (const stream of streams) await bus.append(stream, ['ProcessScheduled']);
    const after = count(2 * streams.length);
    // Connected anew, it knows of them at once; otherwise within the age of its metadata.
    await publisher.rest();
    while (await publisher.round());
    await after;
    for (const stream of streams) expect(seen.get(stream)).toEqual([1, 2]);
    await publisher.close();
  });

  it('writes a range of the log again, with the same ids', async () => {
    const stream = newProcessId('c1');
    const received = new Received(stream);
    const publisher = bus.publisher();
    await bus.append(stream, ['ProcessRequested', 'ProcessScheduled', 'ProcessCompleted']);
    while (await publisher.round());
    const store = new PostgresPublisherStore(bus.pool, 'c1');
    const republisher = new Republisher({ kafka: bus.kafka, topics, log: bus.log.log, tail: bus.log.tail, store });
    const signal = new AbortController().signal;
    const range = { process: stream, fromSequence: 2 };
    expect(await republisher.run(range, { signal, onProgress: async () => undefined })).toBe(2);
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const until = new Date(Date.now() - 1_800_000).toISOString();
    expect(await republisher.run({ since, until }, { signal, onProgress: async () => undefined })).toBe(0);
    const records = await readTopic(names.process, (all) => all.filter(({ key }) => key === stream).length === 5);
    const ids = records.filter(({ key }) => key === stream).map(({ headers }) => headers['ce_id']);
    expect(ids.slice(3)).toEqual(ids.slice(1, 3));
    await subscribe(received.handle);
    await received.count(3);
    expect(received.events.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    await publisher.close();
  });

  it('publishes again by itself when a topic was deleted, and when it has grown beyond its marks since (D11)', async () => {
    const stream = newProcessId('c1');
    const publisher = bus.publisher();
    await bus.append(stream, ['ProcessRequested', 'ProcessScheduled']);
    while (await publisher.round());
    await withAdmin((admin) => admin.deleteTopics({ topics: [names.process] }));
    await bus.append(stream, ['ProcessCompleted']);
    while ((await state()).republished === null) await publisher.round().catch(() => true);
    while (await publisher.round());
    const first = (await state()).republished;
    expect(first?.reason).toMatch(/went back|is gone/);
    const ofStream = (all: Raw[]) => all.filter(({ key }) => key === stream);
    const records = await readTopic(names.process, (all) => ofStream(all).length === 3);
    expect(ofStream(records).map(({ headers }) => Number(headers['ce_sequence']))).toEqual([1, 2, 3]);
    await publisher.close();

    const { marks } = await state();
    await withAdmin(async (admin) => {
      await admin.deleteTopics({ topics: [names.process] });
      let made = false;
      const topic = { topic: names.process, numPartitions: 3, replicationFactor: 1 };
      while (!made) made = await admin.createTopics({ topics: [topic], waitForLeaders: true }).catch(() => false);
    });
    const producer = bus.kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const most = Math.max(...Object.values(marks[names.process] ?? {}).map(({ offset }) => Number(offset)));
    const foreign = Array.from({ length: 3 * (most + 2) }, (_, n) => ({ key: 'k', value: '{}', partition: n % 3 }));
    await producer.send({ topic: names.process, messages: foreign });
    await producer.disconnect();
    const another = bus.publisher();
    while ((await state()).republished?.at === first?.at) await another.round();
    expect((await state()).republished?.reason).toMatch(/is another: at offset/);
    while (await another.round());
    await readTopic(names.process, (all) => ofStream(all).length === 3);
    await another.close();
  });
});
