import type { StoredTail } from '@baton/event-log';
import type { Logger, Meter, Timers } from '../bus.ports.js';
import type { KafkaClient } from '../kafka/kafka-client.js';
import { TopicWatch } from '../kafka/topic-watch.js';
import { TopicWriter } from '../kafka/topic-writer.js';
import { ensureTopics, type TopicSettings, topicNames } from '../kafka/topics.js';
import { systemTimers } from '../system-timers.js';
import { PublisherLane } from './publisher-lane.js';
import type { PublisherStore, Republished } from './publisher-store.js';

export const publisherSubscriber = 'kafka-publisher';
export const clusterLane = `${publisherSubscriber}/cluster`;

export interface PublisherOptions {
  kafka: KafkaClient;
  tail: StoredTail;
  clusterTail: StoredTail;
  store: PublisherStore;
  topics: TopicSettings;
  batch: number;
  meter: Meter;
  logger: Logger;
  timers?: Timers;
  /** How often the topics are compared with what was acknowledged, ms. */
  lookEveryMs?: number;
  /** The shortest time between two rounds that were not full, ms: events of that time are published together. */
  lingerMs?: number;
  requestTimeoutMs?: number;
}

export interface PublisherStatus {
  clusterId: string | null;
  /** The last fault that a round ended with, until a round ends well. */
  error: string | null;
  republished: Republished | null;
}

const batchesOfRound = 10;
const clusterEveryMs = 200;
const busyForMs = 2_000;

/**
 * Job: publishes the log's tail, and that of the cluster's events, to the topics.
 * Boundary: who may publish (a lease) and when a round comes are the caller's.
 * Invariants:
 * 1. A checkpoint moves only after all replicas in sync have acknowledged the whole batch: nothing is lost, what is
 *    cut off is repeated with the same ids.
 * 2. One request is in flight, keys are subjects, and a batch follows the one before: the order of a subject holds.
 * 3. The checkpoint moves by compare-and-set: a publisher that was frozen cannot move it back.
 * 4. A round that fails leaves nothing behind but repetitions: the next one begins at the checkpoint, connected anew.
 * 5. What a broker has lost (another cluster, a topic made anew, offsets that went back) is published again from the
 *    oldest event within the topics' retention, and that is told. Looked for at every connection, every 30 s, and in
 *    every acknowledgement.
 */
export class Publisher {
  #writer: TopicWriter | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #clusterAt = Number.NEGATIVE_INFINITY;
  #publishedAt = Number.NEGATIVE_INFINITY;
  #roundAt = Number.NEGATIVE_INFINITY;
  #error: string | null = null;
  #suspicion: { lane: PublisherLane; reason: string } | null = null;
  readonly #lookingUp = new Set<string>();
  readonly #stop = new AbortController();
  readonly #watch: TopicWatch;
  readonly #timers: Timers;
  readonly #processes: PublisherLane;
  readonly #cluster: PublisherLane;

  constructor(private readonly options: PublisherOptions) {
    const { kafka, tail, clusterTail, store, topics, batch, logger, timers = systemTimers } = options;
    this.#timers = timers;
    const names = topicNames(topics);
    const group = `${topics.prefix ?? ''}baton.publisher`;
    this.#watch = new TopicWatch({ kafka, timers, logger, group });
    this.#processes = new PublisherLane({ name: publisherSubscriber, tail, store, names, batch });
    this.#cluster = new PublisherLane({ name: clusterLane, tail: clusterTail, store, names, batch });
  }

  /** True: there may be more at once. */
  async round(): Promise<boolean> {
    const { timers, lingerMs = 15 } = { ...this.options, timers: this.#timers };
    const rest = this.#roundAt + lingerMs - timers.now();
    if (rest > 0) await timers.sleep(rest, this.#stop.signal);
    try {
      const more = await this.#publish();
      this.#error = null;
      if (!more) this.#roundAt = timers.now();
      return more;
    } catch (error) {
      this.#error = error instanceof Error ? error.message : String(error);
      await this.#dropConnection();
      throw error;
    }
  }

  /** Something was published a moment ago: more is likely, and worth a look before the next hint. */
  get isBusy(): boolean {
    return this.#timers.now() - this.#publishedAt < busyForMs;
  }

  get status(): PublisherStatus {
    const { clusterId, republished } = this.#processes;
    return { clusterId, error: this.#error, republished };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#dropConnection();
  }

  /** The lease is another's: what was read ahead is nothing to rely on when it comes back. */
  async rest(): Promise<void> {
    if (this.#writer) await this.#dropConnection();
  }

  async #publish(): Promise<boolean> {
    const { lookEveryMs = 30_000 } = this.options;
    const writer = await this.#connected();
    if (this.#timers.now() - this.#lookedAt >= lookEveryMs) await this.#look();
    if (this.#suspicion) {
      const { lane, reason } = this.#suspicion;
      this.#suspicion = null;
      await this.#republish(lane, reason);
    }
    if (this.#timers.now() - this.#clusterAt >= clusterEveryMs) {
      await this.#step(this.#cluster, writer);
      this.#clusterAt = this.#timers.now();
    }
    for (let n = 0; n < batchesOfRound; n += 1) {
      if (this.#stop.signal.aborted) return false;
      if (!(await this.#step(this.#processes, writer))) return false;
    }
    return true;
  }

  async #step(lane: PublisherLane, writer: TopicWriter): Promise<boolean> {
    const { meter } = this.options;
    const begun = this.#timers.now();
    const { published, more, loss } = await lane.step((batches) => writer.send(batches));
    if (published > 0) {
      this.#publishedAt = this.#timers.now();
      meter.count('baton.publisher.published', published);
      meter.record('baton.publisher.batch', (this.#publishedAt - begun) / 1000);
    }
    if (loss !== null) await this.#republish(lane, loss);
    return more;
  }

  async #connected(): Promise<TopicWriter> {
    if (this.#writer) return this.#writer;
    const { kafka, topics, requestTimeoutMs } = this.options;
    await ensureTopics(kafka, topics);
    const names = [this.#processes, this.#cluster].flatMap((lane) => lane.topics);
    const writer = await TopicWriter.connect(kafka, names, requestTimeoutMs);
    this.#writer = writer;
    await this.#look();
    for (const lane of [this.#processes, this.#cluster]) await this.#lookUp(lane);
    return writer;
  }

  async #look(): Promise<void> {
    const { kafka, topics } = this.options;
    const lanes = [this.#processes, this.#cluster];
    let seen = await this.#watch.look(lanes.flatMap((lane) => lane.topics));
    for (const lane of lanes) {
      const loss = await lane.judge(seen);
      if (loss === null) continue;
      await ensureTopics(kafka, topics);
      await this.#republish(lane, loss);
      seen = await this.#watch.look(lanes.flatMap((one) => one.topics));
      await lane.judge(seen);
    }
    this.#lookedAt = this.#timers.now();
  }

  /** A topic that was made anew and grew beyond its marks: one record per topic is read, beside what is published. */
  async #lookUp(lane: PublisherLane): Promise<void> {
    const { marks } = await lane.state();
    const { logger } = this.options;
    if (this.#lookingUp.has(lane.name)) return;
    for (const [topic, partitions] of Object.entries(marks)) {
      const [partition, mark] = Object.entries(partitions)[0] ?? [];
      if (partition === undefined || mark === undefined) continue;
      this.#lookingUp.add(lane.name);
      this.#watch
        .stands(topic, Number(partition), mark, this.#stop.signal)
        .then((stands) => {
          if (stands !== false) return;
          const reason = `the topic ${topic} is another: at offset ${mark.offset} of partition ${partition} does not stand ${mark.id}`;
          this.#suspicion = { lane, reason };
        })
        .catch((error: unknown) =>
          logger.debug({ err: error, topic }, 'the last record acknowledged could not be looked up'),
        )
        .finally(() => this.#lookingUp.delete(lane.name));
    }
  }

  async #republish(lane: PublisherLane, reason: string): Promise<void> {
    const { logger, meter } = this.options;
    const retentionMs = await this.#watch.retentionMs(lane.topics);
    const { clusterId } = await this.#watch.look([]);
    const { since } = await lane.goBack(reason, clusterId, retentionMs);
    meter.count('baton.publisher.republished');
    logger.warn(
      { reason, since: since ?? 'the beginning', topics: lane.topics },
      'Kafka has lost events: republishing',
    );
  }

  async #dropConnection(): Promise<void> {
    const writer = this.#writer;
    this.#writer = null;
    const { logger } = this.options;
    for (const lane of [this.#processes, this.#cluster])
      await lane.forget().catch((error: unknown) => logger.debug({ err: error }, 'a checkpoint was not moved'));
    await writer?.close().catch((error: unknown) => logger.debug({ err: error }, 'a producer did not end well'));
  }
}
