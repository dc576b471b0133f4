import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { Logger, Timers } from '../bus.ports.js';

/** A record of any topic, as it stands there. */
export interface TopicRecord {
  topic: string;
  partition: number;
  offset: string;
  /** ISO 8601: the producer's or the broker's, as the topic is set. */
  timestamp: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
}

export interface TopicConsumerOptions {
  kafka: Kafka;
  /** Servers with the same group share the partitions. */
  groupId: string;
  /** What is to be read now; asked again every few seconds. Only topics that are there. */
  topics(): Promise<readonly string[]>;
  /**
   * Takes records of one partition, in order. Resolves when each of them is settled; rejects to have them again after a
   * pause. Whatever it does must be repeatable.
   */
  handle(records: readonly TopicRecord[], signal: AbortSignal): Promise<void>;
  timers: Timers;
  logger: Logger;
  refreshMs?: number;
  sessionTimeoutMs?: number;
}

const together = 200;
const silentAfterMs = 20_000;
const longestPauseMs = 10_000;

/**
 * Job: reads topics that are not the log's, of which the list may change.
 * Boundary: knows no content; what a record means, and whether it was seen before, is the handler's.
 * Invariants:
 * 1. An offset is committed after the handler has settled every record before it.
 * 2. A handler that rejects gets the same records again, for as long as it takes; the session is kept alive meanwhile.
 * 3. A consumer that crashed, was silent for 20 s, or reads other topics than it should, is made anew.
 * 4. A broker that is away keeps nothing from starting: reading begins when it is there.
 * 5. A partition that goes to another member is left at the next record.
 */
export class TopicConsumer {
  #stop = new AbortController();
  #wake = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #progressAt: number | null = null;

  constructor(private readonly options: TopicConsumerOptions) {}

  start(): void {
    this.#stop = new AbortController();
    this.#running = this.#run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
  }

  /** Look at once whether the topics have changed. */
  refresh(): void {
    this.#wake.abort();
  }

  /** Progress, not a ping: it has heard of the broker within 20 s. */
  get healthy(): boolean {
    return this.#progressAt !== null && this.options.timers.now() - this.#progressAt < silentAfterMs;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { timers, logger, groupId } = this.options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#read(signal);
        failures = 0;
      } catch (error) {
        failures += 1;
        logger.warn({ err: error, group: groupId }, 'the consumer of topics is in trouble; it is made anew');
        await timers.sleep(Math.min(longestPauseMs, 100 * 2 ** Math.min(failures, 10)), signal);
      }
    }
  }

  /** Until the topics change, the consumer crashes or falls silent, or it is stopped. */
  async #read(signal: AbortSignal): Promise<void> {
    const { kafka, groupId, timers, sessionTimeoutMs = 30_000 } = this.options;
    const topics = await this.#topics();
    this.#progressAt = timers.now();
    if (topics.length === 0) {
      await this.#pause(signal);
      return;
    }
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.min(3_000, sessionTimeoutMs / 3),
      maxWaitTimeInMs: 100,
      metadataMaxAge: 30_000,
      allowAutoTopicCreation: false,
      // Never by itself: it would come back after it was dropped here, and hold partitions that nobody reads.
      retry: { retries: 5, restartOnFailure: async () => false },
    });
    const over = new AbortController();
    let crash: Error | null = null;
    consumer.on('consumer.fetch', () => {
      this.#progressAt = timers.now();
    });
    consumer.on('consumer.crash', ({ payload }) => {
      crash = payload.error;
      this.refresh();
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      const current = AbortSignal.any([signal, over.signal]);
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.#batch(consumer, payload, current),
      });
      const wanted = topics.join();
      while (!signal.aborted && crash === null && this.healthy) {
        await this.#pause(signal);
        if (!signal.aborted && (await this.#topics()).join() !== wanted) break;
      }
      if (crash !== null) throw crash;
      if (!signal.aborted && !this.healthy) throw new Error('The consumer has read nothing for 20 s.');
    } finally {
      over.abort();
      await this.#disconnect(consumer);
    }
  }

  async #topics(): Promise<string[]> {
    return [...(await this.options.topics())].sort();
  }

  async #pause(signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    await this.options.timers.sleep(this.options.refreshMs ?? 5_000, AbortSignal.any([signal, this.#wake.signal]));
  }

  async #batch(consumer: Consumer, payload: EachBatchPayload, signal: AbortSignal): Promise<void> {
    const { batch, resolveOffset, heartbeat, isRunning, isStale } = payload;
    const { topic, partition } = batch;
    const session: { lost: unknown } = { lost: null };
    const beat = () =>
      heartbeat().catch((error: unknown) => {
        session.lost ??= error;
      });
    const alive = setInterval(() => void beat(), 2_000);
    const isOurs = () => !signal.aborted && session.lost === null && isRunning() && !isStale();
    try {
      for (let at = 0; at < batch.messages.length && isOurs(); at += together) {
        const messages = batch.messages.slice(at, at + together);
        const records = messages.map((message) => recordOf(topic, partition, message));
        if (!(await this.#settle(records, isOurs, signal))) break;
        const last = messages.at(-1);
        if (last === undefined) break;
        resolveOffset(last.offset);
        await consumer.commitOffsets([{ topic, partition, offset: (BigInt(last.offset) + 1n).toString() }]);
        this.#progressAt = this.options.timers.now();
        await beat();
      }
    } finally {
      clearInterval(alive);
    }
    // Whoever lost its session joins again: that is kafkajs's own to do.
    if (session.lost !== null && !signal.aborted) throw session.lost;
  }

  /** False: it was stopped, or the partition is another's, before the records were settled. */
  async #settle(records: readonly TopicRecord[], isOurs: () => boolean, signal: AbortSignal): Promise<boolean> {
    const { handle, timers, logger, groupId } = this.options;
    for (let failures = 1; isOurs(); failures += 1) {
      try {
        await handle(records, signal);
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        logger.warn({ err: error, group: groupId }, 'records of a topic could not be taken; once more');
        // A pause is progress: the broker is there, and what is waited for is something else.
        this.#progressAt = timers.now();
        await timers.sleep(Math.min(2_000, 50 * 2 ** Math.min(failures, 10)), signal);
      }
    }
    return false;
  }

  async #disconnect(consumer: Consumer): Promise<void> {
    try {
      await consumer.disconnect();
    } catch (error) {
      this.options.logger.debug({ err: error }, 'a consumer could not be disconnected');
    }
  }
}

function recordOf(topic: string, partition: number, message: KafkaMessage): TopicRecord {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    const one = Array.isArray(value) ? value[0] : value;
    if (one !== undefined) headers[name] = one.toString('utf8');
  }
  const { offset, key, value } = message;
  return {
    topic,
    partition,
    offset,
    timestamp: new Date(Number(message.timestamp)).toISOString(),
    key,
    value,
    headers,
  };
}
