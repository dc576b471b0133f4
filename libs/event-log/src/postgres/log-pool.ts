import pg from 'pg';
import { codeOf } from '../append/isolate.js';
import { readLogIncarnation } from '../sql/read-log-incarnation.sql.js';
import { verifyConnection } from '../sql/verify-connection.sql.js';
import { LogUnavailable } from './log-unavailable.error.js';

export interface LogPoolOptions {
  url: string;
  /** Shown in pg_stat_activity: which service, which use. */
  application: string;
  max?: number;
  /**
   * driver and heartbeat: the planner never scans a table whole, however small it was or full of others' rows; heartbeat:
   * its commits do not wait for the disk, too.
   */
  use?: 'driver' | 'service' | 'heartbeat';
  statementTimeoutMs?: number;
  /** Connections are kept while idle: for who seldom asks, and then must not wait for a connection. */
  keepsIdle?: boolean;
  /** A connection that breaks while idle is thrown away; this is told, never thrown. */
  onError?(error: Error): void;
}

export const timeouts = {
  connectMs: 5_000,
  statementMs: 10_000,
  /** The client's own, for packets that vanish: above the server's, so that the server answers first. */
  queryExtraMs: 3_000,
  lockMs: 5_000,
  idleInTransactionMs: 5_000,
  transactionMs: 30_000,
};

/**
 * A pool of connections to one cell. Each new connection is compared with the log's incarnation before it is used:
 * another timeline or cluster means a promotion or a restore, and nothing may be appended until it is adopted.
 */
export function createLogPool(options: LogPoolOptions): pg.Pool {
  const statement = options.statementTimeoutMs ?? timeouts.statementMs;
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.application,
    max: options.max ?? 4,
    connectionTimeoutMillis: timeouts.connectMs,
    statement_timeout: statement,
    query_timeout: statement + timeouts.queryExtraMs,
    lock_timeout: timeouts.lockMs,
    idle_in_transaction_session_timeout: timeouts.idleInTransactionMs,
    keepAlive: true,
    ...(options.keepsIdle === true ? { idleTimeoutMillis: 0 } : {}),
    // pg-pool waits for the promise; its types do not say so.
    // oxlint-disable-next-line typescript/no-misused-promises
    onConnect: (client) => verify(client, options.use ?? 'service'),
  });
  pool.on('error', (error) => options.onError?.(error));
  // The pool takes its own listener away as it hands a connection out. When the server ends the session in that moment, in
  // one piece with the answer to the query before, nobody else listens yet: without this the error would end the program.
  // Whoever got the connection learns it from the next query, which fails.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

async function verify(client: pg.ClientBase, use: 'driver' | 'service' | 'heartbeat'): Promise<void> {
  const { rows } = await client.query<{ system_identifier: string; timeline: string | null; has_log: boolean }>(
    verifyConnection,
    [String(timeouts.transactionMs), use !== 'service', use === 'heartbeat'],
  );
  const found = rows[0]!;
  if (found.timeline === null)
    throw new LogUnavailable('timeline', 'This PostgreSQL is a standby: the log is written on the primary only.');
  if (!found.has_log) return;
  const known = (
    await client.query<{ number: number; system_identifier: string; timeline: string }>(readLogIncarnation)
  ).rows[0];
  if (!known) return;
  if (known.system_identifier !== found.system_identifier)
    throw new LogUnavailable(
      'cluster',
      `The log was written by another PostgreSQL cluster (${known.system_identifier}) than this one (${found.system_identifier}): it was restored or copied. Nothing is appended until this is adopted as a new log incarnation: run "baton log adopt".`,
    );
  if (known.timeline !== found.timeline)
    throw new LogUnavailable(
      'timeline',
      `PostgreSQL was promoted or restored: timeline ${found.timeline}, the log knows ${known.timeline}. Commits of the last moments may be missing. Nothing is appended until this is adopted: run "baton log adopt".`,
    );
}

/** The words for a pooler that cannot carry what Baton needs. */
export function explainConnectFailure(error: unknown): unknown {
  const text = error instanceof Error ? error.message : '';
  if (codeOf(error) === '08P01' && /startup parameter/.test(text))
    return new LogUnavailable(
      'pooler',
      `Between Baton and PostgreSQL stands a connection pooler that refuses session settings (${text}). Connect directly, or use a pooler in session mode.`,
    );
  return error;
}
