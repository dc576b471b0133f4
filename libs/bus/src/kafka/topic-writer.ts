import type { Kafka, Producer } from 'kafkajs';
import type { EventRecord } from './kafka-record.js';
import { mendProduceRequest, ReadyBatch } from './kafkajs-produce-request.js';
import { partitionOf } from './partition-of.js';
import { RecordBatch } from './record-batch.js';

/** What a broker acknowledged of one batch in one partition. */
export interface Acknowledged {
  topic: string;
  partition: number;
  baseOffset: string;
  count: number;
  lastId: string;
}

/** A batch that has grown this far goes: with one more record (256 KiB at most) it stays below the broker's 1 MiB. */
const batchBytes = 512 * 1024;

interface Topic {
  name: string;
  /** One for each partition, used anew for each request. */
  batches: readonly RecordBatch[];
}

/**
 * Job: writes batches of events to the topics, one at a time, and tells where they came to stand.
 * Boundary: who sends the next batch waits for the answer to this one.
 * Invariants:
 * 1. Answered means: all replicas in sync have the whole batch.
 * 2. One request is in flight per broker, so what is repeated never stands behind what came after it.
 * 3. It ends within bounded time, with an error when the broker hangs.
 * 4. A key's partition is that of Java's clients. When a topic's partitions have become more, sending fails, and who
 *    connects anew sends by their new number.
 * 5. No batch is longer than a broker takes by default: what is longer goes in several requests, one after the other.
 */
export class TopicWriter {
  private constructor(
    private readonly producer: Producer,
    private readonly topics: ReadonlyMap<string, Topic>,
  ) {}

  static async connect(kafka: Kafka, topics: readonly string[], requestTimeoutMs = 10_000): Promise<TopicWriter> {
    mendProduceRequest();
    const counts = await partitionCounts(kafka, topics);
    const producer = kafka.producer({
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // The rounds repeat; each must end soon, so that a broker that hangs is noticed and told.
      retry: { retries: 1, initialRetryTime: 100, maxRetryTime: requestTimeoutMs },
      createPartitioner:
        () =>
        ({ topic, partitionMetadata, message }) => {
          const known = counts.get(topic);
          if (known !== partitionMetadata.length)
            throw new Error(`The topic ${topic} has ${partitionMetadata.length} partitions now instead of ${known}.`);
          return message.partition ?? 0;
        },
    });
    await producer.connect();
    const known = [...counts].map(([name, partitions]): [string, Topic] => [
      name,
      { name, batches: Array.from({ length: partitions }, () => new RecordBatch()) },
    ]);
    return new TopicWriter(producer, new Map(known));
  }

  async send(batches: readonly { topic: string; records: readonly EventRecord[] }[]): Promise<Acknowledged[]> {
    const acknowledged: Acknowledged[] = [];
    // What an attempt before this one left unsent is nothing of this one.
    for (const topic of this.topics.values()) for (const batch of topic.batches) batch.begin();
    for (const { topic: name, records } of batches) {
      const topic = this.topics.get(name);
      if (!topic) throw new Error(`Nothing was said of the topic ${name} when this writer was connected.`);
      for (const record of records) {
        const batch = topic.batches[partitionOf(record.attributes.subject, topic.batches.length)]!;
        batch.add(record);
        if (batch.size >= batchBytes) acknowledged.push(...(await this.#flush()));
      }
    }
    acknowledged.push(...(await this.#flush()));
    return acknowledged;
  }

  async close(): Promise<void> {
    await this.producer.disconnect();
  }

  /** One request to each broker, with all that was added, for all partitions of all topics that it leads. */
  async #flush(): Promise<Acknowledged[]> {
    const topicMessages = [...this.topics.values()].flatMap(({ name, batches }) => {
      const messages = batches.flatMap((batch, partition) =>
        batch.count === 0 ? [] : [new ReadyBatch(partition, batch.finish())],
      );
      return messages.length === 0 ? [] : [{ topic: name, messages }];
    });
    if (topicMessages.length === 0) return [];
    const answers = await this.producer.sendBatch({ acks: -1, timeout: 10_000, topicMessages });
    const acknowledged = answers.flatMap(({ topicName, partition, baseOffset }) => {
      const batch = this.topics.get(topicName)?.batches[partition];
      if (!batch || baseOffset === undefined) return [];
      return [{ topic: topicName, partition, baseOffset, count: batch.count, lastId: batch.lastId }];
    });
    for (const topic of this.topics.values()) for (const batch of topic.batches) batch.begin();
    return acknowledged;
  }
}

async function partitionCounts(kafka: Kafka, topics: readonly string[]): Promise<Map<string, number>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { topics: found } = await admin.fetchTopicMetadata({ topics: [...topics] });
    return new Map(found.map(({ name, partitions }) => [name, partitions.length]));
  } finally {
    await admin.disconnect();
  }
}
