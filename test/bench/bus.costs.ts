import { setTimeout as pause } from 'node:timers/promises';
import { publisherSubscriber } from '@baton/bus';
import type { BatonServer } from './baton.server.js';
import { type Broker, type Collector, startBroker, startCollector } from './bench.children.js';
import { type BenchContext, roundLimit, settingsOf, startWarm, type WarmServer } from './bench.context.js';
import { throughput } from './w1.throughput.js';

/** What publishing every event to Kafka and exporting every trace cost W1: with and without, in turns, in one run. */
export async function costs(context: BenchContext): Promise<void> {
  const { options, say } = context;
  const settings = settingsOf(context, options.executors);
  const started: WarmServer[] = [];
  let broker: Broker | undefined;
  let collector: Collector | undefined;
  const start = async (more: string[]): Promise<WarmServer> => {
    const warm = await startWarm(context, { ...settings, options: more }, options.processes);
    started.push(warm);
    return warm;
  };
  try {
    broker = await startBroker(context);
    collector = await startCollector(context);
    const plain = await start([]);
    const publishing = await start(['--brokers', broker.brokers]);
    const exporting = await start(['--otlp', collector.url]);
    for (let round = 1; round <= options.rounds; round++) {
      say(`cost: round ${round} of ${options.rounds}`);
      await roundLimit(context, plain, 'cost');
      const without = await turn(context, plain.baton, 'cost: without: ', null);
      const withKafka = await turn(context, publishing.baton, 'cost: publishing: ', publisherSubscriber);
      const before = await collector.received();
      const withOtlp = await turn(context, exporting.baton, 'cost: telemetry: ', 'traces');
      const after = await collector.received();
      addShare(context, 'cost: publishing: ', without, withKafka);
      addShare(context, 'cost: telemetry: ', without, withOtlp);
      context.figures.add(
        'cost: telemetry: exported per process',
        'kB',
        (after.bytes - before.bytes) / 1000 / options.processes,
      );
    }
  } finally {
    for (const { baton } of started) await baton.stop();
    await collector?.stop();
    await broker?.stop();
  }
}

interface Turn {
  /** Operators per second, to the end of the last process. */
  ended: number;
  /** The same, until all of their events were handed on. */
  handedOn: number;
}

async function turn(
  { options, figures }: BenchContext,
  baton: BatonServer,
  prefix: string,
  subscriber: string | null,
): Promise<Turn> {
  const began = performance.now();
  const round = { processes: options.processes, inFlight: 100, single: options.singleRequests };
  const { operators } = await throughput(baton, round, figures, prefix);
  const over = performance.now();
  if (subscriber !== null) await untilHandedOn(baton, subscriber);
  const handedOn = (options.processes * 10 * 1000) / (performance.now() - began);
  figures.add(`${prefix}handed on after the last end`, 'ms', performance.now() - over);
  return { ended: operators, handedOn: subscriber === null ? operators : Math.min(operators, handedOn) };
}

function addShare({ figures }: BenchContext, prefix: string, without: Turn, with_: Turn): void {
  figures.add(`${prefix}share of W1`, '%', (1 - with_.ended / without.ended) * 100);
  figures.add(`${prefix}share of W1, until all is handed on`, '%', (1 - with_.handedOn / without.handedOn) * 100);
}

/** Until the checkpoint of the subscriber stands behind everything that the log holds now. */
async function untilHandedOn(baton: BatonServer, subscriber: string): Promise<void> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const [row] = await baton.query<{ behind: boolean; known: boolean }>(
      `select exists (select from checkpoint where subscriber = $1) as known,
        exists (select from event e, checkpoint c where c.subscriber = $1
          and (e.log_incarnation, e.transaction_id, e.stream_id, e.sequence)
            > (c.log_incarnation, c.transaction_id, c.stream_id, c.sequence)) as behind`,
      [subscriber],
    );
    if (row?.known !== true) throw new Error(`There is no checkpoint of "${subscriber}".`);
    if (!row.behind) return;
    if (performance.now() > deadline) throw new Error(`${subscriber} is behind for two minutes.`);
    await pause(20);
  }
}
