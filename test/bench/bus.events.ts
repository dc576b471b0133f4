import { setTimeout as pause } from 'node:timers/promises';
import { publisherSubscriber } from '@baton/bus';
import type { BatonServer } from './baton.server.js';
import { startBroker } from './bench.children.js';
import { type BenchContext, roundLimit, settingsOf, startWarm, withCpu } from './bench.context.js';
import { type Reader, readLog, readTopic } from './bus.readers.js';
import { Figures, quantile } from './figures.js';
import { throughput } from './w1.throughput.js';

/** Events of one process of ten operators. */
const eventsEach = 24;
/** How many events the embedded bus hands out with an inbox row for each. */
const inboxEvents = 5_000;

/** The bus: from the log to a consumer, through Kafka and through the embedded bus: how many, and how late. */
export async function bus(context: BenchContext): Promise<void> {
  const { options, say } = context;
  const broker = await startBroker(context);
  try {
    const overKafka = await startWarm(context, {
      ...settingsOf(context, options.executors),
      options: ['--brokers', broker.brokers],
    });
    const embedded = await startWarm(context, settingsOf(context, options.executors));
    try {
      for (let round = 1; round <= options.rounds; round++) {
        say(`bus: round ${round} of ${options.rounds}`);
        await roundLimit(context, overKafka, 'bus');
        const reader = await readTopic(broker.brokers);
        try {
          await delays(context, overKafka.baton, reader, 'bus: Kafka');
          await published(context, overKafka.baton, reader);
        } finally {
          await reader.stop();
        }
        const hints = await readLog(embedded.baton, 'hints');
        try {
          await delays(context, embedded.baton, hints, 'bus: embedded');
        } finally {
          await hints.stop();
        }
        await handedOut(context, embedded.baton);
      }
    } finally {
      await overKafka.baton.stop();
      await embedded.baton.stop();
    }
  } finally {
    await broker.stop();
  }
}

/** With the engine at rest the publisher is sent back to the beginning of the log: it publishes all of it again. */
async function published({ figures }: BenchContext, baton: BatonServer, reader: Reader): Promise<void> {
  await quiet(reader);
  const [row] = await baton.query<{ n: number }>('select count(*)::int as n from event');
  const backlog = row?.n ?? 0;
  const from = reader.seen.length;
  const resetAt = Date.now();
  await baton.query(
    `update checkpoint set log_incarnation = 0, transaction_id = '0', stream_id = '00000000-0000-0000-0000-000000000000',
      sequence = 0 where subscriber = $1`,
    [publisherSubscriber],
  );
  const old = () => reader.seen.slice(from).filter(({ recordedAt }) => recordedAt < resetAt);
  await withCpu(
    baton,
    figures,
    'bus: Kafka, log to consumer: ',
    { count: backlog / 1000, of: '1,000 events' },
    async () => {
      // It looks at its checkpoint when it has something to publish.
      await baton.client.request({ definition: 'bench/ten', inputs: {} });
      while (old().length < backlog) await pause(100);
    },
  );
  const times = old().map(({ at }) => at);
  const first = times[0] ?? resetAt;
  const last = times.reduce((most, at) => Math.max(most, at), 0);
  figures.add('bus: Kafka, events published again', '', backlog);
  figures.add('bus: Kafka, log to consumer', '/s', (backlog * 1000) / Math.max(1, last - first));
}

/** Until nothing has come for a second. */
async function quiet(reader: Reader): Promise<void> {
  for (let before = -1; before !== reader.seen.length; ) {
    before = reader.seen.length;
    await pause(1000);
  }
}

async function handedOut({ figures }: BenchContext, baton: BatonServer): Promise<void> {
  await withCpu(
    baton,
    figures,
    'bus: embedded, log to consumer with an inbox: ',
    { count: inboxEvents / 1000, of: '1,000 events' },
    async () => {
      const began = performance.now();
      const reader = await readLog(baton, 'inbox');
      try {
        while (reader.seen.length < inboxEvents) await pause(20);
        const { length } = reader.seen;
        figures.add(
          'bus: embedded, log to consumer with an inbox',
          '/s',
          (length * 1000) / (performance.now() - began),
        );
      } finally {
        await reader.stop();
      }
    },
  );
}

/** At rest, at 1,000 events a second, and at half of what W1 does in the same round. */
async function delays(context: BenchContext, baton: BatonServer, reader: Reader, prefix: string): Promise<void> {
  const { figures, options } = context;
  const w1 = await throughput(baton, { processes: options.processes, inFlight: 100, single: false }, new Figures(), '');
  figures.add(`${prefix}, W1 meanwhile: operators`, '/s', w1.operators);
  await quiet(reader);
  const loads: [name: string, perSecond: number, seconds: number][] = [
    ['at rest', 2, 10],
    ['1,000 events/s', 1000 / eventsEach, 10],
    ['half load', w1.operators / 10 / 2, 10],
  ];
  for (const [name, perSecond, seconds] of loads) {
    const from = reader.seen.length;
    const count = Math.max(1, Math.round(perSecond * seconds));
    await withCpu(baton, figures, `${prefix}, ${name}: `, { count, of: 'process' }, async () => {
      await openLoop(baton, count, perSecond);
      while (reader.seen.length - from < count * eventsEach) await pause(50);
    });
    const late = reader.seen.slice(from).map(({ recordedAt, at }) => at - recordedAt);
    figures.add(`${prefix}, ${name}: commit to consumer p50`, 'ms', quantile(late, 0.5));
    figures.add(`${prefix}, ${name}: commit to consumer p99`, 'ms', quantile(late, 0.99));
  }
}

/** Requests at their own pace; those that are due at the same moment go together. */
async function openLoop(baton: BatonServer, count: number, perSecond: number): Promise<void> {
  const sending: Promise<unknown>[] = [];
  const began = performance.now();
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - began) / 1000) * perSecond) + 1);
    const now = Math.min(100, due - sent);
    if (now > 0) {
      const request = { definition: 'bench/ten', inputs: {} };
      sending.push(baton.client.requestMany(Array.from({ length: now }, () => request)));
      sent += now;
    }
    await pause(5);
  }
  await Promise.all(sending);
}
