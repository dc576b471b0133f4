import { setTimeout as pause } from 'node:timers/promises';
import { openPostgresCell } from '@baton/event-log';
import { evolve, fromSnapshot, initialState, snapshotText, stateShape } from '@baton/process';
import type { BatonServer } from './baton.server.js';
import { type BenchContext, roundLimit, settingsOf, startWarm, withCpu } from './bench.context.js';
import { longAndRunning, loopOver } from './definitions.js';
import { type Figures, quantile } from './figures.js';

/** W5: long processes: how fast events are folded, and what a process of many events costs who takes it over. */
export async function longProcesses(context: BenchContext): Promise<void> {
  const { options, figures, say } = context;
  // Both are supervised: each takes over from the other.
  const warm = await startWarm(context, settingsOf(context, 2));
  const { baton } = warm;
  try {
    await baton.client.publish(loopOver);
    await baton.client.publish(longAndRunning);
    for (let round = 1; round <= options.rounds; round++) {
      say(`W5: round ${round} of ${options.rounds}`);
      await roundLimit(context, warm, 'W5');
      await loop(baton, 10_000, figures);
      await takeovers(baton, options.folded, figures, say);
      await answers(baton, 1000, figures);
    }
  } finally {
    await baton.stop();
  }
}

async function loop(baton: BatonServer, items: number, figures: Figures): Promise<void> {
  const prefix = `W5 forEach of ${items}: `;
  const began = performance.now();
  await withCpu(baton, figures, prefix, { count: items, of: 'item' }, async () => {
    const { id } = await baton.client.request({ definition: 'bench/loop', inputs: { items: numbers(items) } });
    await until(baton, id, 'ProcessCompleted', 1);
  });
  figures.add(`${prefix}until its end`, 'ms', performance.now() - began);
  figures.add(`${prefix}items`, '/s', (items * 1000) / (performance.now() - began));
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

function uuidOf(id: string): string {
  return id.slice(id.indexOf('-') + 1);
}

async function until(baton: BatonServer, id: string, type: string, count: number): Promise<void> {
  for (;;) {
    const [row] = await baton.query<{ n: number; failed: string | null }>(
      `select count(*) filter (where type = $2)::int as n, max(data::text) filter (where type = 'ProcessFailed') as failed
        from event where stream_id = $1 and sequence > (select version - 100 from process where id = $1)`,
      [uuidOf(id), type],
    );
    if ((row?.n ?? 0) >= count) return;
    if (row?.failed) throw new Error(`${id} failed: ${row.failed}`);
    await pause(100);
  }
}

/** A process of so many events, inside an effect, whose executor is killed: once with a snapshot to begin at, once without. */
async function takeovers(
  baton: BatonServer,
  events: number,
  figures: Figures,
  say: (text: string) => void,
): Promise<void> {
  // Each item is two events; request, admission, start, the loop's own two and the start of the effect are the others.
  const items = Math.floor((events - 6) / 2);
  const { id } = await baton.client.request({ definition: 'bench/long', inputs: { items: numbers(items) } });
  for (;;) {
    const [row] = await baton.query<{ started: boolean }>(
      `select exists (select from event where stream_id = $1 and type = 'OperatorStarted' and data ->> 'path' = 'wait'
        and sequence > $2) as started`,
      [uuidOf(id), events - 100],
    );
    if (row?.started) break;
    await pause(100);
  }
  say(`W5: a process of ${events} events is inside an effect`);
  await folding(baton, id, figures);
  for (const with_ of ['with a snapshot', 'without a snapshot']) {
    await baton.untilAlive(2);
    if (with_ === 'without a snapshot') await baton.query('delete from snapshot where stream_id = $1', [uuidOf(id)]);
    await takeover(baton, id, figures, `W5 takeover of ${events} events, ${with_}`);
  }
  await baton.client.cancel(id);
  await until(baton, id, 'ProcessCancelled', 1);
}

/** From the record that its executor is over to the takeover in the log: noticed, read, folded. */
async function takeover(baton: BatonServer, id: string, figures: Figures, name: string): Promise<void> {
  const [owner] = await baton.query<{ executor: string; pid: number; version: number }>(
    `select x.id as executor, x.pid, p.version from process p join executor x on x.id = p.owner where p.id = $1`,
    [uuidOf(id)],
  );
  if (!owner) throw new Error(`Nobody owns ${id}.`);
  process.kill(owner.pid, 'SIGKILL');
  for (;;) {
    const [row] = await baton.query<{ ms: number }>(
      `select extract(epoch from e.recorded_at - x.ended_at)::float8 * 1000 as ms from event e, executor x
        where e.stream_id = $1 and e.type = 'ProcessTakenOver' and e.sequence > $2 and x.id = $3`,
      [uuidOf(id), owner.version, owner.executor],
    );
    if (row) {
      figures.add(name, 'ms', row.ms);
      return;
    }
    await pause(20);
  }
}

/** The core alone: what is read, folded, and restored from a snapshot. */
async function folding(baton: BatonServer, id: string, figures: Figures): Promise<void> {
  const cell = openPostgresCell({
    url: baton.whereabouts().database,
    cell: id.slice(0, id.indexOf('-')),
    application: 'bench',
  });
  try {
    await cell.log.read(id, 0, 1); // connects
    const readAt = performance.now();
    const all = await cell.log.read(id);
    figures.add(`W5 reading ${all.length} events`, 'ms', performance.now() - readAt);
    let state = initialState(id);
    const rates: number[] = [];
    for (let round = 0; round < 6; round++) {
      state = initialState(id);
      const foldAt = performance.now();
      for (const event of all) state = evolve(state, event);
      // Not the first: its code is being compiled.
      if (round > 0) rates.push((all.length * 1000) / (performance.now() - foldAt));
    }
    figures.add('W5 events folded', '/s', quantile(rates, 0.5));
    const saved = snapshotText(state);
    const restoreAt = performance.now();
    if (fromSnapshot(JSON.parse(saved)) === undefined) throw new Error('the snapshot cannot be read back');
    figures.add(`W5 state of ${all.length} events from its snapshot`, 'ms', performance.now() - restoreAt);
    figures.add(`W5 snapshot of ${all.length} events`, 'kB', saved.length / 1000);
    // What the executor saves by itself goes as far as a multiple of its interval; this one is as good as any.
    await cell.snapshots.save(id, stateShape, all.length, saved);
  } finally {
    await cell.close();
  }
}

/** Answers from outside into one process, a hundred under way at a time. */
async function answers(baton: BatonServer, count: number, figures: Figures): Promise<void> {
  await baton.client.publish(`kind: Process
name: bench/answers
operators:
${Array.from({ length: count }, (_, n) => `  r${n}: { type: receive, message: answer-${n} }`).join('\n')}
`);
  // Once to warm up, as every workload: each executor compiles a definition when it first drives a process of it.
  await answerAll(baton, await awaiting(baton, count), count);
  const id = await awaiting(baton, count);
  const prefix = 'W5 answers from outside into one process';
  await withCpu(baton, figures, `${prefix}: `, { count, of: 'answer' }, async () => {
    const { answered, ended } = await answerAll(baton, id, count);
    figures.add(prefix, '/s', (count * 1000) / answered);
    figures.add(`${prefix}: until its end`, 'ms', ended);
  });
}

/** A process that waits for so many messages. */
async function awaiting(baton: BatonServer, count: number): Promise<string> {
  const { id } = await baton.client.request({ definition: 'bench/answers', inputs: {} });
  for (;;) {
    const [row] = await baton.query<{ n: number }>('select count(*)::int as n from receiver where stream_id = $1', [
      uuidOf(id),
    ]);
    if ((row?.n ?? 0) >= count) return id;
    await pause(50);
  }
}

/** All of them, a hundred under way: ms until the last was taken, and until the process ended. */
async function answerAll(baton: BatonServer, id: string, count: number): Promise<{ answered: number; ended: number }> {
  const began = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      while (next < count) {
        const name = `answer-${next++}`;
        await baton.client.sendToProcess(id, { name, payload: { name } });
      }
    }),
  );
  const answered = performance.now() - began;
  await until(baton, id, 'ProcessCompleted', 1);
  return { answered, ended: performance.now() - began };
}
