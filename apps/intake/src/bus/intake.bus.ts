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
import type { Logger, Metrics } from '@baton/telemetry';
import type { Pool } from 'pg';

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
  /** Whether anybody watches a process: nobody else has a use for these hints. */
  isWatched(): boolean;
}): BusTransport {
  const { kafka, pool, tail, wakeUp, logger, metrics, pollMs, isWatched } = options;
  const counters = new Map<string, ReturnType<Metrics['meter']['createCounter']>>();
  const histograms = new Map<string, ReturnType<Metrics['meter']['createHistogram']>>();
  const meter = {
    count(name: string, value = 1, attributes: Record<string, string> = {}) {
      const counter = counters.get(name) ?? metrics.meter.createCounter(name);
      counters.set(name, counter);
      counter.add(value, attributes);
    },
    record(name: string, value: number, attributes: Record<string, string> = {}) {
      const histogram = histograms.get(name) ?? metrics.meter.createHistogram(name);
      histograms.set(name, histogram);
      histogram.record(value, attributes);
    },
  };
  const shared = {
    inbox: new PostgresInbox(pool),
    deadLetters: new PostgresDeadLetters(pool),
    logger,
    meter,
  };
  if (kafka === null) return new EmbeddedTransport({ ...shared, tail, wakeUp, pollMs, isWanted: isWatched });
  const client = kafkaClient({ ...kafka, clientId: `baton-intake-${process.pid}` }, logger);
  return new KafkaTransport({ ...shared, kafka: client, topics: kafka.topics });
}

export function intakeStrategy(transport: BusTransport): BusStrategy {
  return new BusStrategy({ subscriber: intakeSubscriber, mode: 'hints', transport });
}
