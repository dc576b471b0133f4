import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BatonServer, type BatonSettings } from './baton.server.js';
import { oneSecond } from './definitions.js';
import { type Figures, quantile } from './figures.js';

/** How the executor ends, and who sees it. */
export type Ending = 'exit seen' | 'exit not seen' | 'frozen' | 'PostgreSQL restarted';

/**
 * W3: processes inside a one-second effect that may be repeated, on two executors, one of which ends. The second executor
 * is started by the bench itself: its exit is seen by nobody, unless the bench is told to kill the one of `baton up`.
 */
export async function takeover(
  settings: BatonSettings,
  processes: number,
  ending: Ending,
  figures: Figures,
): Promise<void> {
  const prefix = `W3 ${processes} processes, ${ending}: `;
  const baton = await BatonServer.start({ ...settings, executors: 1 });
  let other: ChildProcess | undefined;
  try {
    await baton.client.publish(oneSecond);
    const inOrder = baton.whereabouts().pids.executors[0] ?? 0;
    other = await secondExecutor(baton, settings);
    await untilAlive(baton, 2);
    const two = ending === 'exit seen';
    const { owned, victim, since } = await load(baton, processes, two ? inOrder : (other.pid ?? 0));
    const at = Date.now();
    if (ending === 'PostgreSQL restarted') process.kill(baton.whereabouts().pids.postgres, 'SIGINT');
    else process.kill(victim, ending === 'frozen' ? 'SIGSTOP' : 'SIGKILL');
    await untilEnded(baton, processes, since);
    const first = await baton.query<{ at: number }>(
      `select extract(epoch from recorded_at)::float8 * 1000 as at from event
        where recorded_at >= $1 and type = 'OperatorStarted' and (data ->> 'attempt')::int > 1 order by recorded_at limit 1`,
      [since],
    );
    const [last] = await baton.query<{ at: number; takeovers: number }>(
      `select extract(epoch from max(recorded_at) filter (where type = 'ProcessCompleted'))::float8 * 1000 as at,
        (count(*) filter (where type = 'ProcessTakenOver'))::int as takeovers from event where recorded_at >= $1`,
      [since],
    );
    const takenOver = await baton.query<{ at: number }>(
      `select extract(epoch from recorded_at)::float8 * 1000 as at from event
        where recorded_at >= $1 and type = 'ProcessTakenOver'`,
      [since],
    );
    figures.add(`${prefix}owned by the one that ended`, '', owned);
    figures.add(`${prefix}taken over`, '', last?.takeovers ?? 0);
    if (takenOver.length > 0)
      figures.add(
        `${prefix}until taken over p50`,
        'ms',
        quantile(
          takenOver.map((one) => one.at - at),
          0.5,
        ),
      );
    if (first[0]) figures.add(`${prefix}until the first operator is resumed`, 'ms', first[0].at - at);
    figures.add(`${prefix}until all have ended`, 'ms', (last?.at ?? at) - at);
  } finally {
    if (other?.exitCode === null && other.signalCode === null) {
      const over = once(other, 'exit');
      other.kill('SIGKILL');
      await over;
    }
    await baton.stop();
  }
}

async function secondExecutor(baton: BatonServer, settings: BatonSettings): Promise<ChildProcess> {
  const child = fork(join(settings.apps, 'executor', 'main.js'), [], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {
      ...process.env,
      LOG_LEVEL: 'warn',
      DATABASE_URL: baton.whereabouts().database,
      BATON_SECRET_KEY: baton.secretKey(),
      BATON_OPERATORS: settings.operators,
      PORT: '0',
      ...settings.environment,
    },
  });
  await once(child, 'message');
  return child;
}

async function untilAlive(baton: BatonServer, executors: number): Promise<void> {
  for (;;) {
    const { items } = await baton.client.executors();
    if (items.filter(({ status }) => status === 'alive').length >= executors) return;
    await pause(50);
  }
}

interface Loaded {
  owned: number;
  victim: number;
  since: Date;
}

/** Requests them until the executor that is to end drives a good part: who claims more is a matter of chance. */
async function load(baton: BatonServer, processes: number, victim: number): Promise<Loaded> {
  for (;;) {
    const [clock] = await baton.query<{ now: Date }>('select clock_timestamp() as now');
    const since = clock?.now ?? new Date();
    for (let sent = 0; sent < processes; sent += 10) {
      const request = { definition: 'bench/second', inputs: {} };
      await baton.client.requestMany(Array.from({ length: Math.min(10, processes - sent) }, () => request));
    }
    await untilStarted(baton, processes >= 500 ? processes / 2 : processes, since);
    const [row] = await baton.query<{ n: number }>(
      `select count(*)::int as n from process where owner = (select id from executor where pid = $1 order by started_at desc limit 1)`,
      [victim],
    );
    if ((row?.n ?? 0) >= processes / 5) return { owned: row?.n ?? 0, victim, since };
    await untilEnded(baton, processes, since);
  }
}

async function untilStarted(baton: BatonServer, wanted: number, since: Date): Promise<void> {
  for (;;) {
    const [row] = await baton.query<{ n: number }>(
      `select count(distinct stream_id)::int as n from event where recorded_at >= $1 and type = 'OperatorStarted'`,
      [since],
    );
    if ((row?.n ?? 0) >= wanted) return;
    await pause(5);
  }
}

async function untilEnded(baton: BatonServer, wanted: number, since: Date): Promise<void> {
  for (;;) {
    try {
      const [row] = await baton.query<{ n: number }>(
        `select count(*)::int as n from event where recorded_at >= $1 and type = 'ProcessCompleted'`,
        [since],
      );
      if ((row?.n ?? 0) >= wanted) return;
    } catch (error) {
      // PostgreSQL is away: that is what is measured.
      if (!(error instanceof Error)) throw error;
    }
    await pause(20);
  }
}
