import {
  type DeadLetters,
  KafkaProducer,
  type KafkaSettings,
  kafkaClient,
  type Lease,
  ReplayLoop,
  systemTimers,
  TopicConsumer,
  TopicDeadLetters,
  topicNames,
} from '@baton/bus';
import type { CommandHandler, TopicStore } from '@baton/event-log';
import type { Logger, Meter } from '../scheduler.ports.js';
import { RecordIntake, topicSubscriber } from './record.intake.js';
import { RecordMatcher } from './record.matcher.js';
import { TopicPositions } from './topic.positions.js';

/** `receive: { topic }`, wired: records of watched topics come in here and leave for the processes that wait for them. */
export class TopicRecords {
  readonly #matcher: RecordMatcher;
  readonly #consumer: TopicConsumer;
  readonly #producer: KafkaProducer;
  readonly #replays: ReplayLoop;
  readonly #lease: Pick<Lease, 'hold'>;

  constructor(options: {
    kafka: KafkaSettings;
    store: TopicStore;
    /** Dead letters as rows; their records go to the dead-letter topic. */
    rows: DeadLetters;
    /** One scheduler at a time finds receivers. */
    lease: Pick<Lease, 'hold'>;
    commands: Pick<CommandHandler, 'handle'>;
    keepMs(): number;
    /** Records were taken in: whoever waits for them may be found. */
    kept(): void;
    logger: Logger;
    meter: Meter;
    refreshMs?: number;
  }) {
    const { kafka, store, rows, commands, keepMs, kept, logger, meter, refreshMs = 2_000 } = options;
    const client = kafkaClient({ ...kafka, clientId: `baton-scheduler-topics-${process.pid}` }, logger);
    this.#producer = new KafkaProducer({ kafka: client, logger });
    const topic = topicNames(kafka.topics).deadLetter;
    const deadLetters = new TopicDeadLetters({ rows, producer: this.#producer, topic });
    const positions = new TopicPositions({ kafka: client, store, logger });
    const intake = new RecordIntake({ store, deadLetters, keepMs, kept, logger, meter });
    this.#replays = new ReplayLoop({
      subscriber: topicSubscriber,
      // At the end of its topic: its own place is behind the position.
      deliver: (letter) =>
        intake.replay(letter, async ({ topic: to, key, value, headers }) => {
          await this.#producer.send(to, [{ key: key === null ? null : key.toString('utf8'), value, headers }]);
        }),
      deadLetters,
      timers: systemTimers,
      logger,
    });
    this.#lease = options.lease;
    this.#matcher = new RecordMatcher({ store, commands, logger, meter });
    this.#consumer = new TopicConsumer({
      kafka: client,
      groupId: `${kafka.topics.prefix ?? ''}baton.${topicSubscriber}`,
      topics: () => positions.readable(),
      handle: (records) => intake.take(records),
      timers: systemTimers,
      logger,
      refreshMs,
    });
  }

  start(): void {
    this.#consumer.start();
    this.#replays.start();
  }

  /** Finds receivers for what was kept. */
  async round(): Promise<'again' | undefined> {
    return (await this.#lease.hold()) === null ? undefined : this.#matcher.run();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#replays.stop(), this.#consumer.stop()]);
    await this.#producer.close();
  }

  get healthy(): boolean {
    return this.#consumer.healthy;
  }
}
