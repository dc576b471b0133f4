import type { Admin, Kafka } from 'kafkajs';
import type { Logger, Timers } from '../bus.ports.js';
import type { Mark, SeenTopics } from '../publisher/topic-marks.js';
import { rootOf } from './kafka-faults.js';

export interface TopicWatchOptions {
  kafka: Kafka;
  timers: Timers;
  logger: Logger;
  /** Groups of the short-lived consumers that look a record up. */
  group: string;
}

/** kafkajs's ConfigResourceTypes.TOPIC; Node does not find that name among the exports of a CommonJS module. */
const topicConfig = 2;
const lookUpMs = 20_000;
const noLeader = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE']);
const looksForLeader = 20;
const leaderPauseMs = 100;

/** What a broker says of its topics, as far as kafkajs can ask: it knows no topic ids (docs/decisions/0020). */
export class TopicWatch {
  constructor(private readonly options: TopicWatchOptions) {}

  async look(topics: readonly string[]): Promise<SeenTopics> {
    const admin = this.options.kafka.admin({ retry: { retries: 1 } });
    await admin.connect();
    try {
      const { clusterId } = await admin.describeCluster();
      const seen: SeenTopics['topics'] = {};
      for (const topic of topics) {
        const found = await this.#offsets(admin, topic);
        if (found) seen[topic] = found;
      }
      return { clusterId, topics: seen };
    } finally {
      await admin.disconnect();
    }
  }

  /** Null: there is no such topic. One that was made a moment ago has no leader yet. */
  async #offsets(admin: Admin, topic: string): Promise<SeenTopics['topics'][string] | null> {
    for (let times = 1; ; times += 1) {
      try {
        return (await admin.fetchTopicOffsets(topic)).map(({ partition, low, high }) => ({ partition, low, high }));
      } catch (error) {
        const { type = '' } = rootOf(error);
        if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return null;
        if (!noLeader.has(type) || times === looksForLeader) throw error;
        await this.options.timers.sleep(leaderPauseMs, new AbortController().signal);
      }
    }
  }

  /** The longest that any of the topics keeps its records, ms; null: for ever. */
  async retentionMs(topics: readonly string[]): Promise<number | null> {
    const admin = this.options.kafka.admin({ retry: { retries: 1 } });
    await admin.connect();
    try {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: topics.map((name) => ({
          type: topicConfig,
          name,
          configNames: ['retention.ms'],
        })),
      });
      const times = resources.map(({ configEntries }) => Number(configEntries[0]?.configValue ?? -1));
      return times.some((ms) => !(ms > 0)) ? null : Math.max(...times);
    } finally {
      await admin.disconnect();
    }
  }

  /**
   * Whether the record at a mark is the one that was acknowledged there. Null: it could not be read in time, or the
   * topic has not kept it.
   */
  async stands(topic: string, partition: number, mark: Mark, signal: AbortSignal): Promise<boolean | null> {
    const { kafka, timers, logger, group } = this.options;
    const groupId = `${group}.${crypto.randomUUID()}`;
    const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, retry: { retries: 1 } });
    const over = new AbortController();
    const partitions = (await this.look([topic])).topics[topic] ?? [];
    const others = partitions.map((one) => one.partition).filter((one) => one !== partition);
    const found = Promise.withResolvers<boolean | null>();
    try {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      consumer.on('consumer.crash', () => found.resolve(null));
      consumer.on('consumer.group_join', () => {
        consumer.pause([{ topic, partitions: others }]);
        consumer.seek({ topic, partition, offset: mark.offset });
      });
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          if (batch.partition !== partition) return;
          const at = batch.messages.find(({ offset }) => BigInt(offset) >= BigInt(mark.offset));
          if (!at) return;
          found.resolve(at.offset === mark.offset ? String(at.headers?.['ce_id'] ?? '') === mark.id : null);
        },
      });
      const late = timers.sleep(lookUpMs, AbortSignal.any([signal, over.signal])).then(() => null);
      return await Promise.race([found.promise, late]);
    } finally {
      over.abort();
      await consumer.disconnect().catch((error: unknown) => logger.debug({ err: error }, 'a look-up did not end well'));
      await this.#forget(groupId);
    }
  }

  async #forget(groupId: string): Promise<void> {
    const admin = this.options.kafka.admin({ retry: { retries: 1 } });
    try {
      await admin.connect();
      await admin.deleteGroups([groupId]);
    } catch (error) {
      this.options.logger.debug({ err: error, groupId }, 'the group of a look-up stays until the broker forgets it');
    } finally {
      await admin.disconnect();
    }
  }
}
