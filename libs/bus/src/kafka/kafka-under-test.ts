import { kafkaBroker } from '@baton/testing';
import type { Kafka } from 'kafkajs';
import type { BusUnderTest } from '../contract/bus.contract.js';
import { openLog, silentLogger, silentMeter } from '../contract/bus-log.fixture.js';
import { PostgresDeadLetters, PostgresInbox } from '../inbox/postgres-inbox.js';
import { Publisher } from '../publisher/publisher.js';
import { PostgresPublisherStore } from '../publisher/publisher-store.js';
import { systemTimers } from '../system-timers.js';
import { kafkaClient } from './kafka-client.js';
import { KafkaTransport } from './kafka-transport.js';
import { ensureTopics, topicNames } from './topics.js';

/** A log, a real broker, and a publisher between them. */
export async function openKafkaBus(): Promise<BusUnderTest & { kafka: Kafka }> {
  const [broker, log] = await Promise.all([kafkaBroker(), openLog()]);
  const kafka = kafkaClient({ brokers: broker.brokers, clientId: 'spec' }, silentLogger);
  const topics = { partitions: 3, replication: 1 };
  await ensureTopics(kafka, topics);
  const publisher = new Publisher({
    kafka,
    tail: log.tail,
    clusterTail: log.clusterTail,
    store: new PostgresPublisherStore(log.pool, 'c1'),
    topics,
    batch: 100,
    meter: silentMeter,
    logger: silentLogger,
  });
  const stop = new AbortController();
  const publishing = (async () => {
    while (!stop.signal.aborted) {
      // As the scheduler's duty: what failed is repeated.
      const more = await publisher.round().catch(() => false);
      if (!more) await systemTimers.sleep(10, stop.signal);
    }
  })();
  const transport = () =>
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
    });
  return {
    kafka,
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
      stop.abort();
      await publishing;
      await publisher.close();
      await log.close();
      await broker.stop();
    },
  };
}
