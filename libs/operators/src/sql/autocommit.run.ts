import type { EffectResult, Json } from '@baton/process';
import type { EffectContext } from '../operator.port.js';
import { abortOf, failed, messageOf, notBegun, unknown } from '../shared/results.js';
import { isAnswer, sqlFailure } from './sql.errors.js';
import type { Statement } from './sql.fields.js';
import { type RowLimits, runStatement, TooManyRows } from './sql.statement.js';
import type { TargetConnection, TargetPools } from './target.pool.js';

interface Run {
  context: EffectContext;
  url: string;
  statements: Statement[];
  several: boolean;
  pools: TargetPools;
  limits: RowLimits;
  signal: AbortSignal;
}

/**
 * `exactlyOnce: false`: each statement is a transaction of its own. What PostgreSQL answers is known; a session that
 * breaks with a statement under way leaves an unknown outcome.
 */
export async function runAutocommit(run: Run): Promise<EffectResult> {
  let connection: TargetConnection;
  try {
    connection = await run.pools.connect(run.url, run.signal);
    // Proves that the connection lives before anything depends on it; a dead one must not look like an unknown outcome.
    await connection.client.query(settings(run.context)).catch((error: unknown) => {
      connection.cut();
      throw error;
    });
  } catch (error) {
    if (run.signal.aborted) return notBegun('aborted before anything was sent');
    return sqlFailure(error, 'No connection to the database');
  }
  run.signal.addEventListener('abort', connection.cut, { once: true });
  try {
    const result = await statements(run, connection);
    if (result.status === 'unknown') connection.cut();
    else connection.giveBack();
    return result;
  } finally {
    run.signal.removeEventListener('abort', connection.cut);
  }
}

async function statements(run: Run, connection: TargetConnection): Promise<EffectResult> {
  const results: Json[] = [];
  for (const [index, statement] of run.statements.entries()) {
    const where = run.several ? `Statement ${index + 1}` : 'The statement';
    const before: { [key: string]: Json } = index === 0 ? {} : { committedBefore: index };
    try {
      run.context.begin();
    } catch (error) {
      if (index === 0) return notBegun(messageOf(error));
      return unknown(`${where} was not begun (${messageOf(error)}) after ${index} had been committed`);
    }
    try {
      const { rows, rowCount } = await runStatement(connection.client, statement, run.limits);
      results.push({ rows, rowCount });
    } catch (error) {
      if (error instanceof TooManyRows)
        return failed(error.code, `${where}: ${error.message}; the statement itself has taken effect`, {
          committedBefore: index + 1,
        });
      if (isAnswer(error)) return sqlFailure(error, where, before);
      return unknown(
        `${where}: ${run.signal.aborted ? abortOf(run.signal).text : `the connection broke (${messageOf(error)})`}`,
      );
    }
  }
  return { status: 'completed', output: run.several ? results : (results[0] ?? null) };
}

function settings(context: EffectContext): string {
  const timeout = context.timeout === undefined ? 0 : Math.max(1, Math.round(context.timeout));
  return `set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'iso_8601'; set bytea_output = 'hex'; set statement_timeout = ${timeout}`;
}
