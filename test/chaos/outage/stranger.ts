import { processLifecycleTopic, processTopic } from '@baton/contracts';
import { type Consumer, type EachMessagePayload, Kafka, logLevel } from 'kafkajs';
import { moment } from '../real.cluster.js';

export interface Arrival {
  id: string;
  subject: string;
  sequence: number;
  recordedAt: number;
  arrivedAt: number;
  isRepetition: boolean;
}

/** What one who remembers ids makes of a topic: each event once, and whether its order held. */
export class Follower {
  readonly ids = new Set<string>();
  readonly broken: string[] = [];
  repetitions = 0;
  private readonly last = new Map<string, number>();

  /** `gapless`: every event of a process is there, so that their numbers follow each other. */
  constructor(
    private readonly name: string,
    private readonly gapless: boolean,
  ) {}

  /** False: it was here before. */
  take({ id, subject, sequence }: { id: string; subject: string; sequence: number }): boolean {
    if (this.ids.has(id)) {
      this.repetitions += 1;
      return false;
    }
    this.ids.add(id);
    const before = this.last.get(subject) ?? 0;
    this.last.set(subject, sequence);
    if (this.gapless ? sequence !== before + 1 : sequence <= before)
      this.broken.push(`${this.name}: ${subject} has ${sequence} after ${before}`);
    return true;
  }
}

/** A consumer that is not Baton's: reads the public topics from their beginning, and remembers what it has seen. */
export class Stranger {
  /** Over all that ever arrived. */
  readonly events = new Follower('baton.process', true);
  readonly lifecycle = new Follower('baton.process.lifecycle', false);
  /** Of the broker that runs now alone. */
  anew = { events: new Follower('baton.process anew', true), lifecycle: new Follower('lifecycle anew', false) };
  readonly arrivals: Arrival[] = [];
  readonly broken: string[] = [];
  private consumer: Consumer | null = null;
  private generation = 0;

  constructor(private readonly brokers: string) {}

  /** Waits for the topics. */
  async connect(): Promise<void> {
    this.generation += 1;
    const { generation } = this;
    for (;;) {
      const kafka = new Kafka({ brokers: [this.brokers], clientId: 'stranger', logLevel: logLevel.NOTHING });
      const consumer = kafka.consumer({
        // Another each time: one that has not noticed yet that it was left would take its partitions.
        groupId: `stranger-${generation}`,
        retry: { retries: 10, maxRetryTime: 2_000, restartOnFailure: async () => true },
      });
      try {
        await consumer.connect();
        await consumer.subscribe({ topics: [processTopic, processLifecycleTopic], fromBeginning: true });
        await consumer.run({
          eachMessage: async (payload) => {
            if (generation === this.generation) this.hear(payload);
          },
        });
        this.consumer = consumer;
        return;
      } catch {
        // The broker or its topics are not there yet.
        await consumer.disconnect().catch(() => undefined);
        await moment(500);
      }
    }
  }

  async disconnect(): Promise<void> {
    const { consumer } = this;
    this.consumer = null;
    this.generation += 1;
    // Without a broker to say good-bye to it may wait long: nobody listens to it any more.
    await Promise.race([consumer?.disconnect().catch(() => undefined), moment(5_000)]);
  }

  /** The broker has lost everything. */
  beginAnew(): void {
    this.anew = { events: new Follower('baton.process anew', true), lifecycle: new Follower('lifecycle anew', false) };
  }

  private hear({ topic, message }: EachMessagePayload): void {
    const header = (name: string) => String(message.headers?.[name] ?? '');
    const record = { id: header('ce_id'), subject: header('ce_subject'), sequence: Number(header('ce_sequence')) };
    if (record.id === '' || record.subject === '' || !Number.isSafeInteger(record.sequence))
      this.broken.push(`${topic}: a record without id, subject or sequence`);
    else if (message.key?.toString() !== record.subject) this.broken.push(`${topic}: ${record.id} has another key`);
    if (topic === processLifecycleTopic) {
      this.lifecycle.take(record);
      this.anew.lifecycle.take(record);
      return;
    }
    this.anew.events.take(record);
    const isRepetition = !this.events.take(record);
    const recordedAt = Date.parse(header('ce_time'));
    this.arrivals.push({ ...record, recordedAt, arrivedAt: Date.now(), isRepetition });
  }
}
