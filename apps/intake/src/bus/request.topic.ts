import {
  ensureTopics,
  KafkaProducer,
  type KafkaSettings,
  kafkaClient,
  PostgresDeadLetters,
  ReplayLoop,
  systemTimers,
  TopicConsumer,
  TopicDeadLetters,
  topicNames,
} from '@baton/bus';
import { type Logger, type Metrics, meterOver } from '@baton/telemetry';
import type { Pool } from 'pg';
import { RequestConsumer, type RequestConsumerOptions, requestSubscriber } from '../requests/topic/request.consumer.js';

const madeAnewMs = 60_000;

/** Requests over Kafka: all intakes share the topic. What a record means is RequestConsumer's, how it is read the bus's. */
export class RequestTopic {
  readonly #consumer: TopicConsumer;
  readonly #producer: KafkaProducer;
  readonly #replays: ReplayLoop;
  #ensuredAt = Number.NEGATIVE_INFINITY;

  constructor(
    options: Pick<RequestConsumerOptions, 'requests' | 'tokens' | 'account'> & {
      kafka: KafkaSettings;
      pool: Pool;
      logger: Logger;
      metrics: Metrics;
    },
  ) {
    const { kafka, pool, logger, metrics, ...access } = options;
    const client = kafkaClient({ ...kafka, clientId: `baton-intake-requests-${process.pid}` }, logger);
    const { prefix = '' } = kafka.topics;
    const names = topicNames(kafka.topics);
    this.#producer = new KafkaProducer({ kafka: client, logger });
    const rows = new PostgresDeadLetters(pool);
    const deadLetters = new TopicDeadLetters({ rows, producer: this.#producer, topic: names.deadLetter });
    const requests = new RequestConsumer({ ...access, deadLetters, logger, meter: meterOver(metrics.meter) });
    this.#replays = new ReplayLoop({
      subscriber: requestSubscriber,
      deliver: (letter) => requests.replay(letter),
      deadLetters,
      timers: systemTimers,
      logger,
    });
    this.#consumer = new TopicConsumer({
      kafka: client,
      groupId: `${prefix}baton.${requestSubscriber}`,
      topics: async () => {
        if (systemTimers.now() - this.#ensuredAt > madeAnewMs) {
          await ensureTopics(client, kafka.topics);
          this.#ensuredAt = systemTimers.now();
        }
        return [names.request];
      },
      handle: (records) => requests.take(records),
      timers: systemTimers,
      logger,
    });
  }

  start(): void {
    this.#consumer.start();
    this.#replays.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#replays.stop(), this.#consumer.stop()]);
    await this.#producer.close();
  }

  get healthy(): boolean {
    return this.#consumer.healthy;
  }
}
