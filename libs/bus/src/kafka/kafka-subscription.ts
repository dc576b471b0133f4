import { createHash } from 'node:crypto';
import type { EventLog } from '@baton/event-log';
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { DeadLetters, Logger, Subscription, SubscriptionOptions, Timers } from '../bus.ports.js';
import { type BusEvent, wantsCluster, wantsProcesses } from '../bus-event.js';
import { type Delivery, isAway } from '../subscription/delivery.js';
import { HintGate } from './hint-gate.js';
import { announcedName, eventOf, originalOf } from './kafka-record.js';
import { ensureTopics, type TopicSettings, topicNames } from './topics.js';

export interface KafkaSubscriptionOptions extends SubscriptionOptions {
  kafka: Kafka;
  topics: TopicSettings;
  delivery: Pick<Delivery, 'deliver'>;
  deadLetters: DeadLetters;
  timers: Timers;
  logger: Logger;
  /** Where the data is that a record only refers to. */
  log?: Pick<EventLog, 'read'> | undefined;
  /** Makes the group of a subscriber of hints its own. */
  instance: string;
  sessionTimeoutMs?: number | undefined;
  metadataMaxAgeMs?: number | undefined;
  /** Hints only: false while nobody would hear them, and then nothing is read. */
  isWanted?: (() => boolean) | undefined;
  /** Hints only: false for who nobody asks after here; what happens to it is not taken apart. */
  concerns?: ((subject: string) => boolean) | undefined;
}

/** Readiness fails within 30 s of the last progress; by then the consumer is being rebuilt. */
const silentAfterMs = 20_000;
const watchEveryMs = 5_000;
const joinWithinMs = 90_000;
const metadataAgeMs = 30_000;
const longestPause = 10_000;

/**
 * Job: one subscriber over the topics that its events are on.
 * Boundary: kafkajs is a reader of batches here; offsets are an optimisation, the inbox decides what was handled.
 * Invariants:
 * 1. An offset is committed after every record before it is settled: handled, dropped or a dead letter.
 * 2. Nothing is thrown into kafkajs but its own errors: a record that cannot be read becomes a dead letter.
 * 3. A consumer that crashed for good, or has been silent for 20 s, is rebuilt, with growing pauses, for as long as the
 *    subscription runs.
 * 4. While a handler takes its time the session is kept alive.
 * 5. A broker that is away keeps no service from starting: the subscription comes when the broker does.
 * 6. Healthy means progress: a fetch or a record within 20 s; of hints that nobody wants, a heartbeat.
 * 7. With an inbox, a record that only refers to its data is delivered whole: the data is read from the log.
 */
export class KafkaSubscription implements Subscription {
  #stop = new AbortController();
  #consumer: Consumer | null = null;
  #gate: HintGate | null = null;
  #progressAt: number | null = null;
  #failures = 0;
  #rebuilding: Promise<void> = Promise.resolve();
  #isRebuilding = false;
  #watching: Promise<void> = Promise.resolve();

  #builtAt = 0;
  readonly #topics: readonly string[];

  constructor(private readonly options: KafkaSubscriptionOptions) {
    const { process, cluster } = topicNames(options.topics);
    const { events } = options;
    this.#topics = [...(wantsProcesses(events) ? [process] : []), ...(wantsCluster(events) ? [cluster] : [])];
  }

  async start(): Promise<void> {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    try {
      await this.#run(signal);
    } catch (error) {
      this.#rebuild(error, signal);
    }
    this.#watching = this.#watch(signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    await this.#rebuilding;
    await this.#drop();
  }

  get healthy(): boolean {
    return this.#progressAt !== null && this.options.timers.now() - this.#progressAt < silentAfterMs;
  }

  /** kafkajs may stop reading without a word: what shows no progress is made anew. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { timers } = this.options;
    while (!signal.aborted) {
      await timers.sleep(watchEveryMs, signal);
      const last = Math.max(this.#progressAt ?? 0, this.#builtAt);
      if (this.#isRebuilding || timers.now() - last < silentAfterMs) continue;
      this.#rebuild(new Error(`The consumer has read nothing for ${silentAfterMs / 1000} s.`), signal);
    }
  }

  /** Until it runs, or the subscription is stopped. */
  async #build(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#run(signal);
        this.#failures = 0;
        return;
      } catch (error) {
        await this.#drop();
        this.#failures += 1;
        const { logger, subscriber, timers } = this.options;
        logger.warn({ err: error, subscriber }, 'the consumer of the bus could not be started; once more');
        await timers.sleep(Math.min(longestPause, 100 * 2 ** Math.min(this.#failures, 10)), signal);
      }
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const {
      kafka,
      topics,
      subscriber,
      mode,
      instance,
      timers,
      sessionTimeoutMs = 30_000,
      metadataMaxAgeMs = metadataAgeMs,
    } = this.options;
    await ensureTopics(kafka, topics);
    const groupId = mode === 'hints' ? `baton.${subscriber}.${instance}` : `baton.${subscriber}`;
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.min(3_000, sessionTimeoutMs / 3),
      maxWaitTimeInMs: 100,
      metadataMaxAge: metadataMaxAgeMs,
      rebalanceTimeout: 2 * sessionTimeoutMs,
      allowAutoTopicCreation: false,
    });
    this.#consumer = consumer;
    consumer.on('consumer.fetch', () => {
      if (this.#isHeard) this.#progressAt = timers.now();
    });
    consumer.on('consumer.heartbeat', () => {
      if (!this.#isHeard) this.#progressAt = timers.now();
    });
    const joined = Promise.withResolvers<void>();
    let hasJoined = false;
    // When it fails before somebody waits for it.
    joined.promise.catch(() => undefined);
    consumer.on('consumer.group_join', () => {
      hasJoined = true;
      joined.resolve();
      if (consumer === this.#consumer) this.#gate?.joined();
    });
    consumer.on('consumer.crash', ({ payload }) => {
      if (payload.restart) return;
      // Before it has joined, whoever starts it waits for that, and starts it anew.
      if (!hasJoined) joined.reject(payload.error);
      else if (consumer === this.#consumer) this.#rebuild(payload.error, signal);
    });
    await consumer.connect();
    const ends = mode === 'hints' ? await this.#ends() : [];
    await consumer.subscribe({ topics: [...this.#topics], fromBeginning: mode === 'inbox' });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (batch) => this.#batch(batch, signal),
    });
    const ended = new AbortController();
    const late = timers.sleep(joinWithinMs, AbortSignal.any([signal, ended.signal])).then(() => {
      if (!hasJoined) throw new Error(`The consumer did not join its group within ${joinWithinMs / 1000} s.`);
    });
    await Promise.race([joined.promise, late]).finally(() => ended.abort());
    for (const end of ends) consumer.seek(end);
    if (mode === 'hints') this.#listen(consumer, signal);
    this.#builtAt = timers.now();
  }

  #listen(consumer: Consumer, signal: AbortSignal): void {
    const { isWanted, onStart, timers } = this.options;
    onStart?.();
    if (!isWanted) return;
    this.#gate = new HintGate({
      consumer,
      topics: this.#topics,
      ends: () => this.#ends(),
      isWanted,
      onOpen: () => onStart?.(),
      onFault: (error) => this.#tell(error),
      timers,
    });
    void this.#gate.run(signal);
  }

  get #isHeard(): boolean {
    return this.#gate?.isOpen ?? true;
  }

  async #ends(): Promise<{ topic: string; partition: number; offset: string }[]> {
    const admin = this.options.kafka.admin();
    await admin.connect();
    try {
      const ends = [];
      for (const topic of this.#topics)
        for (const { partition, high } of await admin.fetchTopicOffsets(topic))
          ends.push({ topic, partition, offset: high });
      return ends;
    } finally {
      await admin.disconnect();
    }
  }

  async #batch(payload: EachBatchPayload, signal: AbortSignal): Promise<void> {
    const { batch, resolveOffset, heartbeat, isRunning, isStale } = payload;
    const { topic, partition } = batch;
    let settled: string | null = null;
    // Fetched before nobody wanted hints any more.
    if (!this.#isHeard) return resolveOffset(batch.lastOffset());
    const alive = setInterval(() => void heartbeat().catch((error: unknown) => this.#tell(error)), 2_000);
    try {
      for (const message of batch.messages) {
        if (signal.aborted || !isRunning() || isStale()) break;
        if (!(await this.#settle(message, topic, partition, signal))) break;
        resolveOffset(message.offset);
        settled = message.offset;
        this.#progressAt = this.options.timers.now();
      }
    } finally {
      clearInterval(alive);
    }
    // A subscriber of hints begins at the end, whatever its group has committed.
    if (settled === null || this.options.mode === 'hints') return;
    const offset = (BigInt(settled) + 1n).toString();
    await this.#consumer?.commitOffsets([{ topic, partition, offset }]);
    await heartbeat();
  }

  /** False: stopped before it was settled. */
  async #settle(message: KafkaMessage, topic: string, partition: number, signal: AbortSignal): Promise<boolean> {
    const { events, delivery, mode, concerns } = this.options;
    const name = announcedName(message);
    if (name !== undefined && !events.has('*') && !events.has(name)) return true;
    // By its key alone: the rest of a record costs ten times as much to be handed on.
    if (mode === 'hints' && concerns && message.key && !concerns(message.key.toString())) return true;
    const origin = { transport: 'kafka', topic, partition, offset: message.offset };
    let event: BusEvent;
    try {
      const found = eventOf(message);
      event = found.event;
      if (!events.has('*') && !events.has(event.name)) return true;
      if (found.isReference && mode === 'inbox') event = { ...event, data: await this.#fetched(event, signal) };
    } catch (error) {
      if (signal.aborted) return false;
      return this.#unreadable(message, origin, error, signal);
    }
    return (await delivery.deliver(event, origin, signal, originalOf(message))) !== 'stopped';
  }

  /** The data that a record refers to. A database that is away is waited for. */
  async #fetched({ subject, sequence, id }: BusEvent, signal: AbortSignal): Promise<unknown> {
    const { log, timers } = this.options;
    for (;;) {
      try {
        const [found] = (await log?.read(subject, sequence - 1, 1)) ?? [];
        if (found?.id === id) return found.data;
        throw new Error(`The record refers to event ${sequence} of ${subject}, which this log does not have.`);
      } catch (error) {
        if (!isAway(error) || signal.aborted) throw error;
        this.#tell(error);
        await timers.sleep(1_000, signal);
      }
    }
  }

  async #unreadable(message: KafkaMessage, origin: object, error: unknown, signal: AbortSignal): Promise<boolean> {
    const { subscriber, deadLetters, mode, timers } = this.options;
    if (mode === 'hints') return true;
    const digest = createHash('sha256').update(JSON.stringify(origin)).digest('hex');
    const id = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
    const data = message.value?.toString('utf8').replaceAll('\u0000', '') ?? null;
    const subject = message.key?.toString('utf8').replaceAll('\u0000', '') ?? '';
    const time = new Date(Number(message.timestamp)).toISOString();
    const event: BusEvent = {
      name: '',
      id,
      type: 'unreadable',
      schemaVersion: 0,
      subject,
      sequence: 0,
      time,
      source: '',
      data,
    };
    const reason = error instanceof Error ? error.message : String(error);
    while (!signal.aborted) {
      try {
        await deadLetters.put({ subscriber, event, origin, reason, attempts: 1, original: originalOf(message) });
        return true;
      } catch (failure) {
        this.#tell(failure);
        await timers.sleep(1_000, signal);
      }
    }
    return false;
  }

  #rebuild(error: unknown, signal: AbortSignal): void {
    if (signal.aborted || this.#isRebuilding) return;
    this.#tell(error);
    this.#isRebuilding = true;
    this.#rebuilding = this.#drop()
      .then(() => this.#build(signal))
      .finally(() => {
        this.#isRebuilding = false;
      });
  }

  #tell(error: unknown): void {
    this.options.logger.warn(
      { err: error, subscriber: this.options.subscriber },
      'the consumer of the bus is in trouble',
    );
  }

  async #drop(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = null;
    this.#gate?.drop();
    this.#gate = null;
    try {
      await consumer?.disconnect();
    } catch (error) {
      this.#tell(error);
    }
  }
}
