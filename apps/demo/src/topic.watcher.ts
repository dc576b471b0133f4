import { setTimeout as pause } from 'node:timers/promises';
import { kafkaClient, systemTimers, TopicConsumer, type TopicRecord, topicNames } from '@baton/bus';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** What a subscriber of the world's gets over Kafka; it knows nothing but the public contract. */
export interface TopicReport {
  /** Different events, by their id. */
  events: number;
  repetitions: number;
  /** Events of the log that never came. */
  missing: string[];
  /** Events that came before one that precedes them in their process. */
  outOfOrder: string[];
}

/** Reads the topic of the processes from the start of the demo on. */
export class TopicWatcher {
  readonly #seen = new Set<string>();
  readonly #last = new Map<string, number>();
  readonly #outOfOrder: string[] = [];
  #repetitions = 0;
  readonly #consumer: TopicConsumer;

  constructor(brokers: string) {
    const topic = topicNames().process;
    this.#consumer = new TopicConsumer({
      kafka: kafkaClient({ brokers, clientId: 'baton-demo' }, quiet),
      groupId: 'baton-demo-onlooker',
      topics: async () => [topic],
      handle: async (records) => {
        for (const record of records) this.#take(record);
      },
      timers: systemTimers,
      logger: quiet,
    });
    this.#consumer.start();
  }

  /** Waits, but not for ever, until everything came that the log holds. */
  async compare(ids: ReadonlySet<string>, patienceMs: number): Promise<TopicReport> {
    const deadline = performance.now() + patienceMs;
    const missing = () => [...ids].filter((id) => !this.#seen.has(id));
    while (missing().length > 0 && performance.now() < deadline) await pause(100);
    return {
      events: this.#seen.size,
      repetitions: this.#repetitions,
      missing: missing(),
      outOfOrder: this.#outOfOrder,
    };
  }

  close(): Promise<void> {
    return this.#consumer.stop();
  }

  #take({ headers }: TopicRecord): void {
    const { ce_id: id = '', ce_subject: subject = '', ce_sequence: sequence = '0' } = headers;
    if (this.#seen.has(id)) {
      this.#repetitions += 1;
      return;
    }
    this.#seen.add(id);
    const before = this.#last.get(subject) ?? 0;
    if (Number(sequence) !== before + 1) this.#outOfOrder.push(`${subject} ${sequence} after ${before}`);
    this.#last.set(subject, Number(sequence));
  }
}
