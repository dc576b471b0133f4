import { type KafkaBroker, kafkaBroker } from '@baton/testing';
import type { Kafka } from 'kafkajs';
import type { BusUnderTest } from '../contract/bus.contract.js';
import { openLog, silentLogger, silentMeter } from '../contract/bus-log.fixture.js';
import { PostgresDeadLetters, PostgresInbox } from '../inbox/postgres-inbox.js';
import { Publisher, type PublisherOptions } from '../publisher/publisher.js';
import { PostgresPublisherStore } from '../publisher/publisher-store.js';
import { systemTimers } from '../system-timers.js';
import { kafkaClient } from './kafka-client.js';
import { KafkaTransport, type KafkaTransportOptions } from './kafka-transport.js';
import { ensureTopics, topicNames } from './topics.js';

export interface KafkaUnderTest extends BusUnderTest {
  kafka: Kafka;
  broker: KafkaBroker;
  log: Awaited<ReturnType<typeof openLog>>;
  /** Another publisher over the same log. */
  publisher(more?: Partial<PublisherOptions>): Publisher;
  over(more: Partial<KafkaTransportOptions>): KafkaTransport;
  /** The publisher of the fixture ends; a test drives its own. */
  stopPublishing(): Promise<void>;
}

/** A log, a real broker, and a publisher between them. */
export async function openKafkaBus(): Promise<KafkaUnderTest> {
  const [broker, log] = await Promise.all([kafkaBroker(), openLog()]);
  const kafka = kafkaClient({ brokers: broker.brokers, clientId: 'spec' }, silentLogger);
  const topics = { partitions: 3, replication: 1 };
  await ensureTopics(kafka, topics);
  const newPublisher = (more: Partial<PublisherOptions> = {}) =>
    new Publisher({
      kafka,
      tail: log.tail,
      clusterTail: log.clusterTail,
      store: new PostgresPublisherStore(log.pool, 'c1'),
      topics,
      batch: 100,
      meter: silentMeter,
      logger: silentLogger,
      ...more,
    });
  const publisher = newPublisher();
  const stop = new AbortController();
  const publishing = (async () => {
    while (!stop.signal.aborted) {
      // As the scheduler's duty: what failed is repeated.
      const more = await publisher.round().catch(() => false);
      if (!more) await systemTimers.sleep(10, stop.signal);
    }
    await publisher.close();
  })();
  const transport = (more: Partial<KafkaTransportOptions> = {}) =>
    new KafkaTransport({
      kafka,
      topics,
      log: log.log,
      inbox: new PostgresInbox(log.pool),
      deadLetters: new PostgresDeadLetters(log.pool),
      logger: silentLogger,
      meter: silentMeter,
      attempts: 3,
      pauseMs: 1,
      ...more,
    });
  const stopPublishing = async () => {
    stop.abort();
    await publishing;
  };
  return {
    kafka,
    broker,
    log,
    publisher: newPublisher,
    over: transport,
    stopPublishing,
    transport: transport(),
    another: transport,
    pool: log.pool,
    executors: log.executors,
    append: log.append,
    async rewind(subscriber) {
      const admin = kafka.admin();
      await admin.connect();
      await admin.resetOffsets({ groupId: `baton.${subscriber}`, topic: topicNames(topics).process, earliest: true });
      await admin.disconnect();
    },
    async close() {
      await stopPublishing();
      await log.close();
      await broker.stop();
    },
  };
}
