import type { EffectResult, Json } from '@baton/process';
import type { EffectContext } from '../operator.port.js';
import { abortOf, failed, messageOf, notBegun, unknown } from '../shared/results.js';
import { createExactlyOnce, findResult, insertKey, writeResult } from './exactly-once.sql.js';
import { isAnswer, isFatal, sqlFailure } from './sql.errors.js';
import { type Statement, transactionControl } from './sql.fields.js';
import { type RowLimits, runStatement, type StatementResult, TooManyRows } from './sql.statement.js';
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

type Step =
  | { done: EffectResult }
  /** The session broke before COMMIT was sent: nothing of it can be there. */
  | { lost: unknown; stale: boolean }
  /** The session broke with COMMIT on its way. */
  | { inDoubt: unknown };

/**
 * Job: statements and the operator's key in one transaction of the target, so that they happen once over all attempts.
 *
 * 1. The key is inserted first; whoever finds it committed takes the result that stands beside it and does nothing.
 * 2. A rival with the same key is waited for; its session ends by itself when it is idle for a lease (a frozen executor).
 * 3. Before COMMIT was sent, every end is known: nothing happened.
 * 4. COMMIT without an answer is resolved by the key's row; only when the target stays out of reach the outcome is unknown.
 */
export async function runExactlyOnce(run: Run): Promise<EffectResult> {
  for (const [index, statement] of run.statements.entries()) {
    const control = transactionControl(statement.sql);
    if (control)
      return failed(
        'transaction',
        `Statement ${index + 1}: ${control} would end the transaction that makes it exactly once; leave it out`,
      );
  }
  // Pooled connections may have died unseen, all of them at once; each costs one more try and means nothing.
  for (let tries = 0; ; tries++) {
    const step = await attempt(run);
    if ('done' in step) return step.done;
    if ('inDoubt' in step) return resolveDoubt(run, step.inDoubt);
    if (!step.stale || tries >= 20)
      return (
        whileAborted(run, step.lost) ??
        sqlFailure(step.lost, 'The connection broke before the commit, so nothing happened')
      );
  }
}

async function attempt(run: Run): Promise<Step> {
  let connection: TargetConnection;
  try {
    connection = await run.pools.connect(run.url, run.signal);
  } catch (error) {
    if (run.signal.aborted) return { done: whileAborted(run, error) ?? notBegun('aborted before anything was sent') };
    return { done: sqlFailure(error, 'No connection to the database') };
  }
  run.signal.addEventListener('abort', connection.cut, { once: true });
  try {
    const step = await transaction(run, connection);
    if ('done' in step) connection.giveBack();
    else connection.cut();
    return step;
  } finally {
    run.signal.removeEventListener('abort', connection.cut);
  }
}

async function transaction(run: Run, connection: TargetConnection): Promise<Step> {
  const { client } = connection;
  const { context } = run;
  const key = [context.idempotencyKey, context.processId, context.path, context.attempt];
  let first = true;
  try {
    await client.query(opening(context));
    first = false;
    context.begin();
  } catch (error) {
    if (first)
      return isAnswer(error)
        ? { done: await rolledBack(connection, sqlFailure(error, 'The transaction did not open')) }
        : { lost: error, stale: connection.reused };
    await client.query('rollback').catch(() => connection.cut());
    return { done: notBegun(messageOf(error)) };
  }
  let where = 'The idempotency key';
  let place: string;
  let output: Json;
  try {
    const inserted = await client.query<{ place: string }>(insertKey, key);
    const row = inserted.rows[0];
    if (!row) return { done: await rolledBack(connection, await stored(connection, context)) };
    place = row.place;
    const results: StatementResult[] = [];
    for (const [index, statement] of run.statements.entries()) {
      where = run.several ? `Statement ${index + 1}` : 'The statement';
      results.push(await runStatement(client, statement, run.limits));
    }
    output = outputOf(results, run.several);
    where = 'The result';
    await client.query(writeResult(place), [context.idempotencyKey, JSON.stringify(output)]);
  } catch (error) {
    if (error instanceof TooManyRows)
      return {
        done: await rolledBack(
          connection,
          failed(error.code, `${where}: ${error.message}; nothing of it was committed`),
        ),
      };
    if (isFatal(error)) return { lost: error, stale: false };
    if (isMissingTable(error) && where === 'The idempotency key') return createTable(run, connection);
    return { done: await rolledBack(connection, sqlFailure(error, where)) };
  }
  try {
    const commit = await client.query('commit');
    if (commit.command !== 'COMMIT')
      return { done: failed('transaction', `COMMIT was answered by ${commit.command}: nothing was committed`) };
    return { done: { status: 'completed', output } };
  } catch (error) {
    if (isAnswer(error)) return { done: await rolledBack(connection, sqlFailure(error, 'The commit')) };
    return { inDoubt: error };
  }
}

/** One round trip. Everything is LOCAL, so that it also holds behind a pooler and leaves nothing in the session. */
function opening(context: EffectContext): string {
  const lease = Math.max(1, Math.round(context.leaseMs));
  const timeout =
    context.timeout === undefined ? '' : `set local statement_timeout = ${Math.max(1, Math.round(context.timeout))};`;
  return `begin isolation level read committed read write; set local timezone = 'UTC'; set local datestyle = 'ISO'; set local intervalstyle = 'iso_8601';
    set local bytea_output = 'hex'; set local idle_in_transaction_session_timeout = ${lease}; ${timeout}
    select set_config(name, '${lease}', true) from pg_settings where name = 'client_connection_check_interval'`;
}

async function rolledBack(connection: TargetConnection, result: EffectResult): Promise<EffectResult> {
  await connection.client.query('rollback').catch(() => connection.cut());
  return result;
}

async function stored(connection: TargetConnection, context: EffectContext): Promise<EffectResult> {
  const found = await connection.client.query<{ result: string | null }>(findResult, [context.idempotencyKey]);
  const result = found.rows[0]?.result;
  if (typeof result !== 'string')
    return failed(
      'exactly-once',
      'The key stands in baton_exactly_once without a result: somebody else has written it',
    );
  return { status: 'completed', output: JSON.parse(result) as Json };
}

function outputOf(results: StatementResult[], several: boolean): Json {
  const list = results.map((result): Json => ({ rows: result.rows, rowCount: result.rowCount }));
  return several ? list : (list[0] ?? null);
}

function isMissingTable(error: unknown): boolean {
  return isAnswer(error) && error.code === '42P01';
}

async function createTable(run: Run, connection: TargetConnection): Promise<Step> {
  try {
    await connection.client.query('rollback');
    await connection.client.query(createExactlyOnce);
  } catch (error) {
    await connection.client.query('rollback').catch(() => connection.cut());
    const why =
      'The table baton_exactly_once is missing and cannot be made (grant CREATE on the schema, or create it by hand)';
    return isFatal(error) ? { lost: error, stale: false } : { done: sqlFailure(error, why) };
  }
  return transaction(run, connection);
}

/** Invariant 4. Inserting waits for the doubtful transaction to end, so that what is then seen is final. */
async function resolveDoubt(run: Run, cause: unknown): Promise<EffectResult> {
  const { context } = run;
  let last = cause;
  for (let tries = 0; tries < 5 && !run.signal.aborted; tries++) {
    let connection: TargetConnection | undefined;
    try {
      connection = await run.pools.connect(run.url, run.signal);
      run.signal.addEventListener('abort', connection.cut, { once: true });
      await connection.client.query(opening(context));
      const inserted = await connection.client.query(insertKey, [
        context.idempotencyKey,
        context.processId,
        context.path,
        context.attempt,
      ]);
      const result =
        inserted.rows.length === 0
          ? await stored(connection, context)
          : sqlFailure(cause, 'The connection broke at the commit; the database was asked, and nothing was committed');
      await connection.client.query('rollback');
      connection.giveBack();
      return result;
    } catch (error) {
      last = error;
      connection?.cut();
      await retryPause(run.signal);
    } finally {
      if (connection) run.signal.removeEventListener('abort', connection.cut);
    }
  }
  return unknown(
    `The answer to the commit was lost (${messageOf(cause)}), and the database could not be asked: ${messageOf(last)}`,
  );
}

function retryPause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, 500);
    signal.addEventListener('abort', end, { once: true });
  });
}

/** Cut off before the commit: known not to have happened, and the code says by what. */
function whileAborted(run: Run, _cause: unknown): EffectResult | null {
  if (!run.signal.aborted) return null;
  const { code, text } = abortOf(run.signal);
  return failed(code, `Before the commit ${text}, so nothing happened`);
}
