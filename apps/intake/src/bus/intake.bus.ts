import {
  BusStrategy,
  type BusTransport,
  EmbeddedTransport,
  type KafkaSettings,
  KafkaTransport,
  kafkaClient,
  PostgresDeadLetters,
  PostgresInbox,
} from '@baton/bus';
import type { PostgresTail, WakeUp } from '@baton/event-log';
import { type Logger, type Metrics, meterOver } from '@baton/telemetry';
import type { Pool } from 'pg';
import type { LiveStreams } from '../processes/live.streams.js';

export const intakeSubscriber = 'intake';

/** The bus for a subscriber that takes hints: from the end, without an inbox. */
export function intakeBus(options: {
  /** Null: the embedded bus. */
  kafka: KafkaSettings | null;
  pool: Pool;
  tail: PostgresTail;
  wakeUp: WakeUp;
  logger: Logger;
  metrics: Metrics;
  pollMs(): number;
  /** Who watches a process: nobody else has a use for these hints. */
  live: Pick<LiveStreams, 'size' | 'watches'>;
}): BusTransport {
  const { kafka, pool, tail, wakeUp, logger, metrics, pollMs, live } = options;
  const shared = {
    inbox: new PostgresInbox(pool),
    deadLetters: new PostgresDeadLetters(pool),
    logger,
    meter: meterOver(metrics.meter),
    isWanted: () => live.size > 0,
    concerns: (process: string) => live.watches(process),
  };
  if (kafka === null) return new EmbeddedTransport({ ...shared, tail, wakeUp, pollMs });
  const client = kafkaClient({ ...kafka, clientId: `baton-intake-${process.pid}` }, logger);
  return new KafkaTransport({ ...shared, kafka: client, topics: kafka.topics });
}

export function intakeStrategy(transport: BusTransport): BusStrategy {
  return new BusStrategy({ subscriber: intakeSubscriber, mode: 'hints', transport });
}
