import { type Kafka, type Message, Partitioners, type Producer } from 'kafkajs';
import type { EventRecord } from './kafka-record.js';

/** What a broker acknowledged of one batch in one partition. */
export interface Acknowledged {
  topic: string;
  partition: number;
  baseOffset: string;
  count: number;
  lastId: string;
}

/**
 * Job: writes batches of events to the topics, one at a time, and tells where they came to stand.
 * Boundary: who sends the next batch waits for the answer to this one.
 * Invariants:
 * 1. Answered means: all replicas in sync have the whole batch.
 * 2. One request is in flight per broker, so what is repeated never stands behind what came after it.
 * 3. It ends within bounded time, with an error when the broker hangs.
 */
export class TopicWriter {
  /** Per topic and partition, what the batch under way put there; repeated by kafkajs, it is the same. */
  readonly #placed = new Map<string, Map<number, Set<Message>>>();

  private constructor(private readonly producer: Producer) {}

  static async connect(kafka: Kafka, requestTimeoutMs = 10_000): Promise<TopicWriter> {
    let self: TopicWriter | null = null;
    const choose = Partitioners.DefaultPartitioner();
    const producer = kafka.producer({
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // The rounds repeat; each must end soon, so that a broker that hangs is noticed and told.
      retry: { retries: 1, initialRetryTime: 100, maxRetryTime: requestTimeoutMs },
      createPartitioner: () => (given) => {
        const partition = choose(given);
        self?.note(given.topic, partition, given.message);
        return partition;
      },
    });
    self = new TopicWriter(producer);
    await producer.connect();
    return self;
  }

  async send(batches: readonly { topic: string; records: EventRecord[] }[]): Promise<Acknowledged[]> {
    this.#placed.clear();
    const topicMessages = batches
      .filter(({ records }) => records.length > 0)
      .map(({ topic, records }) => ({ topic, messages: records }));
    const answers = await this.producer.sendBatch({ acks: -1, timeout: 10_000, topicMessages });
    return answers.flatMap(({ topicName, partition, baseOffset }) => {
      const placed = this.#placed.get(topicName)?.get(partition);
      if (!placed || baseOffset === undefined) return [];
      const last = [...placed].at(-1);
      return [
        {
          topic: topicName,
          partition,
          baseOffset,
          count: placed.size,
          lastId: String(last?.headers?.['ce_id'] ?? ''),
        },
      ];
    });
  }

  async close(): Promise<void> {
    await this.producer.disconnect();
  }

  private note(topic: string, partition: number, message: Message): void {
    const partitions = this.#placed.get(topic) ?? new Map<number, Set<Message>>();
    this.#placed.set(topic, partitions);
    const placed = partitions.get(partition);
    if (placed) placed.add(message);
    else partitions.set(partition, new Set([message]));
  }
}
