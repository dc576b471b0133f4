import { clusterTopic, deadLetterTopic, processLifecycleTopic, processTopic, requestTopic } from '@baton/contracts';
import type { Kafka } from 'kafkajs';

export interface TopicSettings {
  /** In front of every topic's name; empty by default. */
  prefix?: string;
  partitions?: number;
  replication?: number;
  /** -1: for ever. Given when a topic is made, like the two above; the broker's own default otherwise. */
  retentionMs?: number | undefined;
  /** How many replicas must have a record before it is acknowledged. */
  minInSync?: number | undefined;
  /** false: topics are made by somebody else; a missing one is an error. */
  create?: boolean;
}

export const topicNames = ({ prefix = '' }: TopicSettings = {}) => ({
  process: `${prefix}${processTopic}`,
  lifecycle: `${prefix}${processLifecycleTopic}`,
  cluster: `${prefix}${clusterTopic}`,
  request: `${prefix}${requestTopic}`,
  deadLetter: `${prefix}${deadLetterTopic}`,
});

/** Makes the topics that are missing, unless that is forbidden: then their absence is told with the remedy. */
export async function ensureTopics(kafka: Kafka, settings: TopicSettings = {}): Promise<void> {
  const { partitions = 12, replication = -1, retentionMs, minInSync, create = true } = settings;
  const wanted = Object.values(topicNames(settings));
  const admin = kafka.admin();
  await admin.connect();
  try {
    const known = new Set(await admin.listTopics());
    const missing = wanted.filter((topic) => !known.has(topic));
    if (missing.length === 0) return;
    if (!create)
      throw new Error(
        `Kafka lacks the topics ${missing.join(', ')}: create them, or let Baton do it (create topics on).`,
      );
    const configEntries = [
      ...(retentionMs === undefined ? [] : [{ name: 'retention.ms', value: String(retentionMs) }]),
      ...(minInSync === undefined ? [] : [{ name: 'min.insync.replicas', value: String(minInSync) }]),
    ];
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map((topic) => ({
        topic,
        numPartitions: partitions,
        replicationFactor: replication,
        configEntries,
      })),
    });
  } finally {
    await admin.disconnect();
  }
}
