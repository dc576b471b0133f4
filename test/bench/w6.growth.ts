import type { ChildProcess } from 'node:child_process';
import { type BenchContext, roundLimit, settingsOf, startWarm, type WarmServer } from './bench.context.js';
import { closedLoop } from './closed.loop.js';
import { copyProcesses } from './copied.processes.js';
import { threeOperators } from './definitions.js';
import { throughput } from './w1.throughput.js';

const eventsEach = 10;

/**
 * W6: W1 on an empty log and on one that holds many ended processes, and with one, two and three executors, all in turns
 * in the same rounds. Two Batons run for it, each with a PostgreSQL of its own; the one whose turn it is not rests.
 */
export async function growth(context: BenchContext): Promise<void> {
  const { options, figures, say } = context;
  const log = `${options.growthEvents} events in the log`;
  const empty = await startWarm(context, settingsOf(context, 1), options.processes);
  let grown: WarmServer | undefined;
  try {
    grown = await startWarm(context, settingsOf(context, 1), options.processes);
    await grow(grown, options.growthEvents, say);
    for (let round = 1; round <= options.rounds; round++) {
      say(`W6: round ${round} of ${options.rounds}`);
      await roundLimit(context, empty, 'W6');
      const one = await turn(context, empty, 1, 'W6 empty log');
      const many = await turn(context, grown, 1, `W6 ${log}`);
      figures.add(`W6 ${log}: operators, to an empty log`, '×', many / one);
      for (const executors of [2, 3]) {
        const more = await turn(context, empty, executors, `W6 ${executors} executors`);
        figures.add(`W6 ${executors} executors: operators, to one`, '×', more / one);
      }
    }
  } finally {
    await empty.baton.stop();
    await grown?.baton.stop();
  }
}

async function turn(
  { options, figures }: BenchContext,
  { baton }: WarmServer,
  executors: number,
  name: string,
): Promise<number> {
  const added: ChildProcess[] = [];
  try {
    for (let n = 1; n < executors; n++) added.push(await baton.addExecutor());
    await baton.untilAlive(executors);
    const round = { processes: options.processes, inFlight: 100, single: options.singleRequests };
    return (await throughput(baton, round, figures, `${name}: `)).operators;
  } finally {
    for (const child of added) await baton.removeExecutor(child, 'SIGTERM');
  }
}

/** Ended processes of ten events each: five hundred that were driven, and copies of their rows. */
async function grow({ baton }: WarmServer, events: number, say: (text: string) => void): Promise<void> {
  await baton.client.publish(threeOperators);
  const { streams } = await closedLoop(baton, 'bench/three', { processes: 500, inFlight: 100, single: false });
  const ids = streams.map((id) => id.slice(id.indexOf('-') + 1));
  const [row] = await baton.query<{ each: number }>(
    `select (count(*)::float8 / $2) as each from event where stream_id = any($1::uuid[])`,
    [ids, ids.length],
  );
  if (row?.each !== eventsEach) throw new Error(`The processes to copy have ${row?.each} events, not ${eventsEach}.`);
  await copyProcesses(baton, ids, Math.ceil(events / eventsEach), say);
}
