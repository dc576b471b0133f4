import { randomUUID } from 'node:crypto';
import type { EventLog } from '@baton/event-log';
import type { Kafka } from 'kafkajs';
import type {
  BusTransport,
  DeadLetters,
  Inbox,
  Logger,
  Meter,
  Subscription,
  SubscriptionOptions,
  Timers,
} from '../bus.ports.js';
import { TopicDeadLetters } from '../dead-letters/topic-dead-letters.js';
import { Delivery } from '../subscription/delivery.js';
import { replaying } from '../subscription/replaying.js';
import { systemTimers } from '../system-timers.js';
import { KafkaProducer } from './kafka-producer.js';
import { KafkaSubscription } from './kafka-subscription.js';
import { type TopicSettings, topicNames } from './topics.js';

export interface KafkaTransportOptions {
  kafka: Kafka;
  topics: TopicSettings;
  /** Where the data is that a record is too short for. Subscribers of hints do without. */
  log?: Pick<EventLog, 'read'>;
  inbox: Inbox;
  /** The rows that `baton bus` shows and replays. */
  deadLetters: DeadLetters;
  logger: Logger;
  meter: Meter;
  timers?: Timers;
  attempts?: number;
  pauseMs?: number;
  /** A member that is silent for so long is dropped from its group; a rebalance waits twice as long for one. */
  sessionTimeoutMs?: number;
  /** How soon added partitions are seen. */
  metadataMaxAgeMs?: number;
  /** Hints only: false while nobody would hear them, and then nothing is read. Asked every quarter of a second. */
  isWanted?(): boolean;
  /** Hints only: false for who nobody asks after here; what happens to it is not taken apart. */
  concerns?(subject: string): boolean;
}

/** The bus over Kafka: what the publisher wrote from the log's tail, read by consumer groups. */
export class KafkaTransport implements BusTransport {
  readonly #instance = randomUUID();
  constructor(private readonly options: KafkaTransportOptions) {}

  subscribe(subscription: SubscriptionOptions): Subscription {
    const { kafka, topics, timers = systemTimers, attempts = 5, pauseMs = 100, ...given } = this.options;
    const { subscriber, mode } = subscription;
    if (mode === 'inbox' && !given.log)
      throw new Error(`The subscriber "${subscriber}" has an inbox: it needs the log, for what records only refer to.`);
    const producer = new KafkaProducer({ kafka, logger: given.logger, timers });
    const topic = topicNames(topics).deadLetter;
    const deadLetters = new TopicDeadLetters({ rows: given.deadLetters, producer, topic });
    const shared = { ...given, deadLetters };
    const delivery = new Delivery(subscription, { ...shared, timers, attempts, pauseMs });
    const consumer = new KafkaSubscription({
      ...shared,
      ...subscription,
      kafka,
      topics,
      delivery,
      timers,
      instance: this.#instance,
      isWanted: this.options.isWanted?.bind(this.options),
      concerns: this.options.concerns?.bind(this.options),
    });
    const both = replaying(consumer, { ...shared, subscription, delivery, timers });
    return {
      start: () => both.start(),
      async stop() {
        await both.stop();
        await producer.close();
      },
      get healthy() {
        return both.healthy;
      },
    };
  }
}
