import { setTimeout as pause } from 'node:timers/promises';
import type { BatonServer } from './baton.server.js';

/** Where PostgreSQL's time goes: loads pg_stat_statements, which takes a restart of the server (Baton starts it again). */
export async function watchStatements(baton: BatonServer): Promise<void> {
  const before = baton.whereabouts().pids.postgres;
  await baton.query("alter system set shared_preload_libraries = 'pg_stat_statements'");
  await baton.query("alter system set pg_stat_statements.track_planning = 'on'");
  process.kill(before, 'SIGINT');
  for (;;) {
    try {
      if (baton.whereabouts().pids.postgres !== before && (await baton.query('select 1')).length === 1) break;
    } catch (error) {
      if (!(error instanceof Error)) throw error; // not up again yet
    }
    await pause(100);
  }
  await baton.query('create extension if not exists pg_stat_statements');
  await pause(3000);
}

export async function resetStatements(baton: BatonServer): Promise<void> {
  await baton.query('select pg_stat_statements_reset()');
}

export async function slowestStatements(baton: BatonServer, limit: number): Promise<string[]> {
  const rows = await baton.query<{ ms: number; plan: number; calls: number; n: number; query: string }>(
    `select (total_exec_time + total_plan_time)::float8 as ms, total_plan_time::float8 as plan, calls::int, rows::int as n,
      left(regexp_replace(query, '\\s+', ' ', 'g'), 110) as query
      from pg_stat_statements order by 1 desc limit $1`,
    [limit],
  );
  return rows.map(
    ({ ms, plan, calls, n, query }) =>
      `${ms.toFixed(0).padStart(8)} ms (planning ${plan.toFixed(0)}) ${String(calls).padStart(7)} calls ${String(n).padStart(8)} rows  ${query}`,
  );
}
