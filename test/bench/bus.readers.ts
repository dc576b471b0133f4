import { randomUUID } from 'node:crypto';
import { EmbeddedTransport, kafkaClient, PostgresDeadLetters, PostgresInbox, topicNames } from '@baton/bus';
import { openPostgresCell } from '@baton/event-log';
import type { BatonServer } from './baton.server.js';

/** What a consumer saw of one event: when it was recorded, when it came, ms since 1970. */
export interface Seen {
  recordedAt: number;
  at: number;
}

export interface Reader {
  readonly seen: Seen[];
  stop(): Promise<void>;
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const uncounted = { count: () => undefined, record: () => undefined };

/** A consumer that is not ours: reads the topic of processes from now on. */
export async function readTopic(brokers: string): Promise<Reader> {
  const kafka = kafkaClient({ brokers, clientId: 'baton-bench' }, silent);
  const consumer = kafka.consumer({ groupId: `bench-${randomUUID()}`, maxWaitTimeInMs: 5_000, minBytes: 1 });
  const seen: Seen[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: topicNames().process, fromBeginning: false });
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve());
  });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      const at = Date.now();
      for (const { headers } of batch.messages) seen.push({ recordedAt: Date.parse(String(headers?.['ce_time'])), at });
    },
  });
  await joined;
  return { seen, stop: () => consumer.disconnect() };
}

/** A subscriber of the embedded bus. hints: from now on, nothing written; inbox: from the log's beginning, a row for each event. */
export async function readLog(baton: BatonServer, mode: 'hints' | 'inbox', cellName = 'c1'): Promise<Reader> {
  const cell = openPostgresCell({ url: baton.whereabouts().database, cell: cellName, application: 'bench consumer' });
  await cell.wakeUp.start();
  const seen: Seen[] = [];
  const transport = new EmbeddedTransport({
    tail: cell.tail,
    wakeUp: cell.wakeUp,
    inbox: new PostgresInbox(cell.pools.service),
    deadLetters: new PostgresDeadLetters(cell.pools.service),
    logger: silent,
    meter: uncounted,
    pollMs: () => 250,
  });
  const subscription = transport.subscribe({
    subscriber: `bench-${randomUUID()}`,
    mode,
    events: new Set(['*']),
    handle: async ({ time }) => {
      seen.push({ recordedAt: Date.parse(time), at: Date.now() });
    },
  });
  await subscription.start();
  return {
    seen,
    stop: async () => {
      await subscription.stop();
      await cell.close();
    },
  };
}
