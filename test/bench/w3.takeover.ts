import type { ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { BatonServer } from './baton.server.js';
import { type BenchContext, roundLimit, settingsOf, startWarm, withCpu } from './bench.context.js';
import { oneSecond, oneSecondOnce } from './definitions.js';
import { endedOf } from './ends.watch.js';
import type { Figures } from './figures.js';

/** How the executor ends, and who sees it. */
type Ending = 'exit seen' | 'exit not seen' | 'frozen' | 'PostgreSQL restarted';

const endings: readonly Ending[] = ['exit seen', 'exit not seen', 'frozen', 'PostgreSQL restarted'];

/** W3: every size and every ending in each round, one Baton a round, its limit beside. */
export async function takeovers(context: BenchContext): Promise<void> {
  const { options, figures, say } = context;
  for (let round = 1; round <= options.rounds; round++) {
    say(`W3: round ${round} of ${options.rounds}`);
    const warm = await startWarm(context, settingsOf(context, 1));
    const { baton } = warm;
    try {
      await baton.client.publish(oneSecond);
      await baton.client.publish(oneSecondOnce);
      await roundLimit(context, warm, 'W3');
      for (const processes of options.takenOver)
        for (const ending of endings) {
          const prefix = `W3 ${processes} processes, ${ending}: `;
          await withCpu(baton, figures, prefix, { count: processes, of: 'process' }, () =>
            takeover(baton, processes, ending, figures, prefix),
          );
        }
    } finally {
      await baton.stop();
    }
  }
}

/**
 * Processes inside an effect of one second, on two executors, one of which ends. The second executor is started by the
 * bench: its exit is seen by nobody, so it is the one that ends unless the exit is to be seen by `baton up`. Every other
 * process has an effect that is exactly once, whose late beginning does no harm: it need not wait for the proof.
 */
async function takeover(
  baton: BatonServer,
  processes: number,
  ending: Ending,
  figures: Figures,
  prefix: string,
): Promise<void> {
  await baton.untilAlive(1);
  const other = await baton.addExecutor();
  try {
    await baton.untilAlive(2);
    await untilTheyMayJudge(baton);
    const victim = ending === 'exit seen' ? (baton.whereabouts().pids.executors[0] ?? 0) : (other.pid ?? 0);
    const loaded = await load(baton, processes, victim);
    const [clock] = await baton.query<{ ms: number }>(
      'select extract(epoch from clock_timestamp())::float8 * 1000 as ms',
    );
    const at = clock?.ms ?? Date.now();
    if (ending === 'PostgreSQL restarted') process.kill(baton.whereabouts().pids.postgres, 'SIGINT');
    else process.kill(victim, ending === 'frozen' ? 'SIGSTOP' : 'SIGKILL');
    await untilEnded(baton, loaded.ids);
    await tell(baton, loaded, at, figures, prefix);
  } finally {
    await end(baton, other, ending);
  }
}

/** Who has just begun judges nobody for a lease (design 2); the one that survives may be a moment old, by what came before. */
async function untilTheyMayJudge(baton: BatonServer): Promise<void> {
  for (;;) {
    const [row] = await baton.query<{ may: boolean }>(
      `select bool_and(started_at + (lease_ms + heartbeat_ms) * interval '1 ms' < now()) as may
        from executor where status = 'alive'`,
    );
    if (row?.may === true) return;
    await pause(50);
  }
}

async function end(baton: BatonServer, other: ChildProcess, ending: Ending): Promise<void> {
  await baton.removeExecutor(other, ending === 'frozen' ? 'SIGKILL' : 'SIGTERM');
  await baton.untilAlive(1);
}

/** From the signal on, by what the log says. */
async function tell(baton: BatonServer, loaded: Loaded, at: number, figures: Figures, prefix: string): Promise<void> {
  const [row] = await baton.query<Times>(timesText, [loaded.since, loaded.executor, at / 1000]);
  if (!row) return;
  figures.add(`${prefix}owned by the one that ended`, '', loaded.owned);
  figures.add(`${prefix}taken over`, '', row.taken_over);
  const add = (name: string, value: number | null) => {
    if (value !== null) figures.add(`${prefix}${name}`, 'ms', value);
  };
  add('its end is on record', row.on_record);
  add('first taken over', row.first_taken);
  add('last taken over', row.last_taken);
  add('first resumed, exactly once', row.first_once);
  add('last resumed, exactly once', row.last_once);
  add('first resumed', row.first_rerun);
  add('last resumed', row.last_rerun);
  add('all ended', row.all_ended);
}

interface Times {
  taken_over: number;
  on_record: number | null;
  first_taken: number | null;
  last_taken: number | null;
  first_once: number | null;
  last_once: number | null;
  first_rerun: number | null;
  last_rerun: number | null;
  all_ended: number | null;
}

/** $1 since when, $2 the one that ended, $3 when the signal was sent. */
const timesText = `
with e as (
  select type, stream_id, (extract(epoch from recorded_at)::float8 - $3::float8) * 1000 as ms,
    type = 'OperatorStarted' and (data ->> 'attempt')::int > 1 as again, data ->> 'type' = 'pause-once' as once
  from event where recorded_at >= $1
)
select (count(*) filter (where type = 'ProcessTakenOver'))::int as taken_over,
  (select (extract(epoch from ended_at)::float8 - $3::float8) * 1000 from executor where id = $2) as on_record,
  min(ms) filter (where type = 'ProcessTakenOver') as first_taken,
  max(ms) filter (where type = 'ProcessTakenOver') as last_taken,
  min(ms) filter (where again and once) as first_once,
  max(ms) filter (where again and once) as last_once,
  min(ms) filter (where again and not once) as first_rerun,
  max(ms) filter (where again and not once) as last_rerun,
  max(ms) filter (where type = 'ProcessCompleted') as all_ended
from e`;

interface Loaded {
  ids: string[];
  owned: number;
  executor: string;
  since: Date;
}

/** Requests them until the executor that is to end drives a good part: who claims more is a matter of chance. */
async function load(baton: BatonServer, processes: number, victim: number): Promise<Loaded> {
  const [row] = await baton.query<{ id: string }>(
    `select id from executor where pid = $1 order by started_at desc limit 1`,
    [victim],
  );
  const executor = row?.id ?? '';
  for (;;) {
    const [clock] = await baton.query<{ now: Date }>('select clock_timestamp() as now');
    const since = clock?.now ?? new Date();
    const each = processes / 10;
    const ids: string[] = [];
    for (let sent = 0; sent < processes; sent += each) {
      const answers = await baton.client.requestMany(
        Array.from({ length: each }, (_, n) => ({
          definition: n % 2 === 0 ? 'bench/second' : 'bench/second-once',
          inputs: {},
        })),
      );
      for (const answer of answers) {
        if (!('id' in answer)) throw new Error(`refused: ${JSON.stringify(answer)}`);
        ids.push(answer.id.slice(answer.id.indexOf('-') + 1));
      }
    }
    await untilStarted(baton, processes >= 500 ? processes / 2 : processes, ids);
    const [owns] = await baton.query<{ n: number }>(`select count(*)::int as n from process where owner = $1`, [
      executor,
    ]);
    const owned = owns?.n ?? 0;
    if (owned >= processes / 5) return { ids, owned, executor, since };
    await untilEnded(baton, ids);
  }
}

/** By the heads, as for the ends below: to look through the events for them took PostgreSQL a good part of a core. */
async function untilStarted(baton: BatonServer, wanted: number, ids: string[]): Promise<void> {
  for (;;) {
    const { rows } = await baton.pool.query<{ n: number }>({ name: 'started', text: startedHeads, values: [ids] });
    if ((rows[0]?.n ?? 0) >= wanted) return;
    await pause(10);
  }
}

/** Requested, scheduled, claimed: the fourth event is the start of the operator, in one append with the third. */
const startedHeads = `select count(*)::int as n from unnest($1::uuid[]) s(id)
  cross join lateral (select * from process where id = s.id offset 0) p where p.version > 3`;

async function untilEnded(baton: BatonServer, ids: string[]): Promise<void> {
  const open = new Set(ids);
  while (open.size > 0) {
    try {
      for (const id of await endedOf(baton, [...open])) open.delete(id);
    } catch (error) {
      // PostgreSQL is away: that is what is measured.
      if (!(error instanceof Error)) throw error;
    }
    if (open.size > 0) await pause(50);
  }
}
