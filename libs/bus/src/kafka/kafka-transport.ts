import { randomUUID } from 'node:crypto';
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
import { Delivery } from '../subscription/delivery.js';
import { systemTimers } from '../system-timers.js';
import { KafkaSubscription } from './kafka-subscription.js';
import type { TopicSettings } from './topics.js';

export interface KafkaTransportOptions {
  kafka: Kafka;
  topics: TopicSettings;
  inbox: Inbox;
  deadLetters: DeadLetters;
  logger: Logger;
  meter: Meter;
  timers?: Timers;
  attempts?: number;
  pauseMs?: number;
}

/** The bus over Kafka: what the publisher wrote from the log's tail, read by consumer groups. */
export class KafkaTransport implements BusTransport {
  readonly #instance = randomUUID();
  constructor(private readonly options: KafkaTransportOptions) {}

  subscribe(subscription: SubscriptionOptions): Subscription {
    const { kafka, topics, timers = systemTimers, attempts = 5, pauseMs = 100, ...shared } = this.options;
    const delivery = new Delivery(subscription, { ...shared, timers, attempts, pauseMs });
    return new KafkaSubscription({
      ...shared,
      ...subscription,
      kafka,
      topics,
      delivery,
      timers,
      instance: this.#instance,
    });
  }
}
