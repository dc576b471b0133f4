import { setTimeout as pause } from 'node:timers/promises';
import { BatonServer, type BatonSettings } from './baton.server.js';
import { residentMiB } from './cpu.time.js';
import { parkedUntil } from './definitions.js';
import { type Figures, quantile } from './figures.js';

/** W4: processes that wait for a time: what they cost while they wait, and how soon they go on when many are due at once. */
export async function parked(settings: BatonSettings, many: number, due: number, figures: Figures): Promise<void> {
  const baton = await BatonServer.start(settings);
  try {
    await baton.client.publish(parkedUntil);
    const memory = (): number[] => baton.whereabouts().pids.executors.map(residentMiB);
    const sizeBefore = await bytes(baton);
    const memoryBefore = memory();
    const far = new Date(Date.now() + 30 * 24 * 3_600_000).toISOString();
    const began = performance.now();
    await park(baton, many, far);
    figures.add(`W4 ${many} parked: parked per second`, '/s', (many * 1000) / (performance.now() - began));
    await baton.query('vacuum analyze');
    figures.add(
      `W4 ${many} parked: stored for each, history and indexes`,
      'bytes',
      ((await bytes(baton)) - sizeBefore) / many,
    );
    memory().forEach((now, at) => {
      figures.add(`W4 ${many} parked: memory of executor ${at + 1}`, 'MiB', now);
      figures.add(`W4 ${many} parked: of it more than before`, 'MiB', now - (memoryBefore[at] ?? 0));
    });
    const { pids } = baton.whereabouts();
    figures.add(`W4 ${many} parked: memory of intake`, 'MiB', residentMiB(pids.intake));
    figures.add(`W4 ${many} parked: memory of the scheduler`, 'MiB', residentMiB(pids.scheduler));
    await fire(baton, due, figures);
  } finally {
    await baton.stop();
  }
}

async function park(baton: BatonServer, count: number, at: string): Promise<void> {
  for (let sent = 0; sent < count; sent += 1000) {
    const request = { definition: 'bench/parked', inputs: { at } };
    const answers = await baton.client.requestMany(Array.from({ length: Math.min(1000, count - sent) }, () => request));
    const refused = answers.find((answer) => !('id' in answer));
    if (refused) throw new Error(`refused: ${JSON.stringify(refused)}`);
  }
  for (;;) {
    const [row] = await baton.query<{ n: number }>(
      `select count(*)::int as n from process where runnable_at = $1::timestamptz and owner is null`,
      [at],
    );
    if ((row?.n ?? 0) >= count) return;
    await pause(200);
  }
}

async function fire(baton: BatonServer, count: number, figures: Figures): Promise<void> {
  // Far enough that all are parked before; a second with no fraction, as in a schedule.
  let ahead = 5_000 + count * 2;
  let at = new Date(Math.ceil((Date.now() + ahead) / 1000) * 1000);
  for (;;) {
    const parkedBy = Date.now();
    await park(baton, count, at.toISOString());
    if (Date.now() < at.getTime()) break;
    ahead = (Date.now() - parkedBy) * 2;
    at = new Date(Math.ceil((Date.now() + ahead) / 1000) * 1000);
  }
  const text = `select extract(epoch from e.recorded_at)::float8 * 1000 as at from event e join event w on w.stream_id = e.stream_id
    where e.type = $2 and w.type = 'ProcessParked' and (w.data ->> 'dueAt')::timestamptz = $1::timestamptz and e.recorded_at >= $1::timestamptz`;
  for (;;) {
    await pause(500);
    const fired = await baton.query<{ at: number }>(text, [at.toISOString(), 'ProcessCompleted']);
    if (fired.length < count) continue;
    const claimed = await baton.query<{ at: number }>(text, [at.toISOString(), 'ProcessClaimed']);
    const late = (rows: { at: number }[]) => rows.map((row) => row.at - at.getTime());
    figures.add(`W4 ${count} due in the same second: all fired after`, 'ms', Math.max(...late(fired)));
    figures.add(`W4 ${count} due in the same second: claimed after p50`, 'ms', quantile(late(claimed), 0.5));
    figures.add(`W4 ${count} due in the same second: claimed after p99`, 'ms', quantile(late(claimed), 0.99));
    return;
  }
}

async function bytes(baton: BatonServer): Promise<number> {
  const [row] = await baton.query<{ n: number }>(
    `select sum(pg_total_relation_size(c))::float8 as n from unnest(array['event', 'process']::regclass[]) c`,
  );
  return row?.n ?? 0;
}
