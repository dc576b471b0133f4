import { setTimeout as pause } from 'node:timers/promises';
import type { BatonServer } from './baton.server.js';
import { type BenchContext, roundLimit, settingsOf, startWarm, withCpu } from './bench.context.js';
import { copyProcesses } from './copied.processes.js';
import { residentMiB } from './cpu.time.js';
import { parkedUntil } from './definitions.js';
import { quantile } from './figures.js';
import { requestToFirstOperator } from './w2.latency.js';

/** As many are parked by driving them, twice: to warm up, and to measure. The others are copies of their rows. */
const driven = 5_000;

/** W4: processes that wait for a time: what they cost while they wait, and how soon they go on when many are due at once. */
export async function parked(context: BenchContext): Promise<void> {
  const { options, figures, say } = context;
  const warm = await startWarm(context, settingsOf(context, options.executors));
  const { baton } = warm;
  try {
    await baton.client.publish(parkedUntil);
    await roundLimit(context, warm, 'W4');
    const memory = (): number => baton.whereabouts().pids.executors.reduce((sum, pid) => sum + residentMiB(pid), 0);
    const first = Math.min(Math.ceil(options.parkedMany / 2), driven);
    const far = new Date(Math.ceil(Date.now() / 1000) * 1000 + 30 * 24 * 3_600_000).toISOString();
    // They bring heaps and caches to the size that driving so many takes; what more each keeps is seen after that.
    await park(baton, first, far);
    await vacuum(baton);
    const sizeBefore = await sizes(baton);
    const memoryBefore = memory();
    const began = performance.now();
    await withCpu(baton, figures, `W4 ${first} parked: `, { count: first, of: 'process' }, () =>
      park(baton, first, far),
    );
    figures.add(`W4 ${first} parked: parked per second`, '/s', (first * 1000) / (performance.now() - began));
    figures.add(
      `W4 ${first} parked: memory of the executor more, per process`,
      'bytes',
      ((memory() - memoryBefore) * 2 ** 20) / first,
    );
    await vacuum(baton);
    await addBytes(baton, context, `W4 ${first} parked: `, sizeBefore, first);
    if (options.parkedMany > 2 * first) {
      const templates = await baton.query<{ id: string }>(
        `select id from process where runnable_at = $1::timestamptz and owner is null order by id limit 2000`,
        [far],
      );
      say(`W4: ${options.parkedMany - 2 * first} more are copies of the rows of those`);
      await copyProcesses(
        baton,
        templates.map(({ id }) => id),
        options.parkedMany - 2 * first,
        say,
      );
    }
    await addMemory(context, baton, `W4 ${options.parkedMany} parked: `);
    for (let round = 1; round <= options.rounds; round++) {
      say(`W4: round ${round} of ${options.rounds}`);
      await roundLimit(context, warm, 'W4');
      await fire(context, baton, options.parked);
    }
    await addMemory(context, baton, `W4 ${options.parkedMany} parked, after the rounds: `);
  } finally {
    await baton.stop();
  }
}

/** The ids in the log of so many processes, when all are parked until then. */
async function park(baton: BatonServer, count: number, at: string): Promise<string[]> {
  const ids: string[] = [];
  for (let sent = 0; sent < count; sent += 1000) {
    const request = { definition: 'bench/parked', inputs: { at } };
    const answers = await baton.client.requestMany(Array.from({ length: Math.min(1000, count - sent) }, () => request));
    for (const answer of answers) {
      if (!('id' in answer)) throw new Error(`refused: ${JSON.stringify(answer)}`);
      ids.push(answer.id.slice(answer.id.indexOf('-') + 1));
    }
  }
  while (await anyHead(baton, ids, 'runnable_at is distinct from $2::timestamptz or owner is not null', [at]))
    await pause(200);
  return ids;
}

/**
 * Whether this holds for the head of any of them. Looked for from the last one on, which is done last: to count all of them
 * at each look was a tenth of what PostgreSQL did. The condition stands outside, or the planner goes through all that
 * are runnable for each id.
 */
async function anyHead(baton: BatonServer, ids: string[], condition: string, values: unknown[] = []): Promise<boolean> {
  const [row] = await baton.query<{ any: boolean }>(
    `select exists (select from unnest($1::uuid[]) s(id)
      cross join lateral (select * from process where id = s.id offset 0) p where ${condition}) as any`,
    [ids.toReversed(), ...values],
  );
  return row?.any ?? true;
}

/** So many due in one second, and meanwhile ten requests a second from others. */
async function fire(context: BenchContext, baton: BatonServer, count: number): Promise<void> {
  const { figures, options } = context;
  const prefix = `W4 ${count} due in the same second, ${options.parkedMany} parked: `;
  // Far enough that all are parked before; a second with no fraction, as in a schedule.
  let ahead = 5_000 + count * 2;
  let at = new Date(Math.ceil((Date.now() + ahead) / 1000) * 1000);
  let ids: string[];
  for (;;) {
    const parkedBy = Date.now();
    ids = await park(baton, count, at.toISOString());
    if (Date.now() < at.getTime() - 1000) break;
    ahead = (Date.now() - parkedBy) * 2;
    at = new Date(Math.ceil((Date.now() + ahead) / 1000) * 1000);
  }
  await pause(Math.max(0, at.getTime() - 500 - Date.now()));
  await withCpu(baton, figures, prefix, { count, of: 'process' }, async () => {
    const others = requestToFirstOperator(baton, 40, 10, figures, `${prefix}meanwhile, `);
    do await pause(250);
    while (await anyHead(baton, ids, 'owner is not null or runnable_at is not null'));
    await others;
  });
  const late = async (type: string): Promise<number[]> =>
    (
      await baton.query<{ at: number }>(
        `select extract(epoch from recorded_at)::float8 * 1000 as at from event
          where stream_id = any($1::uuid[]) and type = $2 and recorded_at >= $3`,
        [ids, type, at],
      )
    ).map((row) => row.at - at.getTime());
  const fired = await late('ProcessCompleted');
  if (fired.length !== count) throw new Error(`${fired.length} of ${count} processes have gone on.`);
  const claimed = await late('ProcessClaimed');
  figures.add(`${prefix}all fired after`, 'ms', Math.max(...fired));
  figures.add(`${prefix}claimed after p50`, 'ms', quantile(claimed, 0.5));
  figures.add(`${prefix}claimed after p99`, 'ms', quantile(claimed, 0.99));
}

async function addMemory({ figures }: BenchContext, baton: BatonServer, prefix: string): Promise<void> {
  const { pids } = baton.whereabouts();
  pids.executors.forEach((pid, at) => {
    figures.add(`${prefix}memory of executor ${at + 1}`, 'MiB', residentMiB(pid));
  });
  figures.add(`${prefix}memory of intake`, 'MiB', residentMiB(pids.intake));
  figures.add(`${prefix}memory of the scheduler`, 'MiB', residentMiB(pids.scheduler));
}

type Sizes = Map<string, number>;

async function addBytes(
  baton: BatonServer,
  { figures }: BenchContext,
  prefix: string,
  before: Sizes,
  count: number,
): Promise<void> {
  const after = await sizes(baton);
  const each = (name: string): number => ((after.get(name) ?? 0) - (before.get(name) ?? 0)) / count;
  const logNames = [...after.keys()].filter((name) => /^(event|process|queue)(\/|$)/.test(name));
  const of = (names: string[]): number => names.reduce((sum, name) => sum + each(name), 0);
  figures.add(`${prefix}stored for each, history and indexes`, 'bytes', of(logNames));
  figures.add(`${prefix}stored for each, with the list of processes`, 'bytes', of([...after.keys()]));
  for (const name of after.keys())
    if (Math.abs(each(name)) >= 1) figures.add(`${prefix}of it ${name}`, 'bytes', each(name));
}

/** Every table (its own pages, as `table`) and index (as `table/index`) of the log's schema. */
async function sizes(baton: BatonServer): Promise<Sizes> {
  const rows = await baton.query<{ name: string; bytes: number }>(
    `select c.relname as name, (pg_relation_size(c.oid) + case when c.reltoastrelid = 0 then 0
        else pg_total_relation_size(c.reltoastrelid) end)::float8 as bytes
      from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
    union all
    select t.relname || '/' || c.relname, pg_relation_size(c.oid)::float8
      from pg_class c join pg_index i on i.indexrelid = c.oid join pg_class t on t.oid = i.indrelid
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'i'`,
  );
  return new Map(rows.map(({ name, bytes }) => [name, bytes]));
}

async function vacuum(baton: BatonServer): Promise<void> {
  // The list of processes follows the log.
  await pause(1500);
  await baton.query('vacuum analyze');
}
