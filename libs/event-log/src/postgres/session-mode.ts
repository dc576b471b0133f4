import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { explainConnectFailure } from './log-pool.js';
import { LogUnavailable } from './log-unavailable.error.js';
import { isLoginRefused, isUndecided } from './pg-errors.js';

/**
 * Whether each connection keeps its session: locks, LISTEN and settings do not survive a pooler in transaction mode,
 * which hands a server session to another client between statements. Several clients mark their sessions and read the
 * marks back while the others are at work.
 */
export async function assertSessionMode(url: string, clients = 4): Promise<void> {
  const opened: pg.Client[] = [];
  try {
    for (let n = 0; n < clients; n += 1) {
      const client = new pg.Client({
        connectionString: url,
        application_name: 'baton check',
        connectionTimeoutMillis: 5_000,
        query_timeout: 5_000,
      });
      client.on('error', () => undefined);
      await client.connect();
      opened.push(client);
    }
    const kept = await Promise.all(opened.map(keepsItsSession));
    if (kept.includes(false))
      throw new LogUnavailable(
        'pooler',
        'A connection pooler in transaction mode stands between Baton and PostgreSQL: session locks, LISTEN and settings are lost there. Connect directly, or use a pooler in session mode.',
      );
  } catch (error) {
    throw explainConnectFailure(error);
  } finally {
    await Promise.allSettled(opened.map((client) => client.end()));
  }
}

/** At the start of a service: waits for a database that is away; throws where the connection cannot carry a session. */
export async function awaitSessionMode(url: string, signal?: AbortSignal, pauseMs = 200): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      await assertSessionMode(url);
      return;
    } catch (error) {
      const isPooler = error instanceof LogUnavailable && error.reason === 'pooler';
      if (isPooler || isLoginRefused(error) || !isUndecided(error)) throw error;
    }
    await delay(pauseMs, undefined, { signal });
  }
}

async function keepsItsSession(client: pg.Client): Promise<boolean> {
  const mark = randomUUID();
  await client.query("select set_config('baton.session_mark', $1, false)", [mark]);
  for (let round = 0; round < 3; round += 1) {
    const { rows } = await client.query<{ mark: string | null }>(
      "select current_setting('baton.session_mark', true) as mark, pg_sleep(0.01)",
    );
    if (rows[0]?.mark !== mark) return false;
  }
  return true;
}
