import { setTimeout as delay } from 'node:timers/promises';
import pg, { type ClientBase, type Pool } from 'pg';
import { codeOf } from '../append/isolate.js';
import { timeouts } from '../postgres/log-pool.js';
import { isLoginRefused, isUndecided } from '../postgres/pg-errors.js';
import { migration0001Log } from '../sql/migration-0001-log.sql.js';
import { migration0002Duties } from '../sql/migration-0002-duties.sql.js';
import { migration0003Bus } from '../sql/migration-0003-bus.sql.js';
import { migration0004Topics } from '../sql/migration-0004-topics.sql.js';
import { migration0005Snapshots } from '../sql/migration-0005-snapshots.sql.js';

export interface Migration {
  id: string;
  sql: string;
}
/** Forward only; a released one never changes. Each is one short transaction. */
export const logMigrations: readonly Migration[] = [
  { id: '0001-log', sql: migration0001Log },
  { id: '0002-duties', sql: migration0002Duties },
  { id: '0003-bus', sql: migration0003Bus },
  { id: '0004-topics', sql: migration0004Topics },
  { id: '0005-snapshots', sql: migration0005Snapshots },
];

const lockKey = "hashtextextended('baton migrations', 0)";

/** Holds the one lock of all migrations of this database while `run` works on the same connection. */
export async function withMigrationLock<T>(pool: Pool, run: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // Its next query fails for it; without a listener the error would end the program.
  client.on('error', () => undefined);
  try {
    await client.query("select set_config('statement_timeout', '0', false)");
    while (!(await tryLock(client))) await delay(100 + Math.random() * 100);
    return await run(client);
  } finally {
    // Ending the session frees the lock and forgets its settings, also when a migration broke off.
    client.release(true);
  }
}

/** Asked again rather than waited for: a wait would run into the pool's own timeouts. */
async function tryLock(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ got: boolean }>(`select pg_try_advisory_lock(${lockKey}) as got`);
  return rows[0]!.got;
}

/** Waits until a service that runs migrations has brought the log's tables to what this build needs. */
export async function waitForSchema(
  pool: Pool,
  options: { signal?: AbortSignal; pollMs?: number } = {},
): Promise<void> {
  const last = logMigrations.at(-1)!.id;
  for (;;) {
    options.signal?.throwIfAborted();
    if (await hasMigration(pool, last)) return;
    await delay(options.pollMs ?? 200, undefined, { signal: options.signal });
  }
}

async function hasMigration(pool: Pool, id: string): Promise<boolean> {
  try {
    const { rows } = await pool.query<{ found: boolean }>(
      'select exists (select from log_migration where id = $1) and exists (select from log_incarnation) as found',
      [id],
    );
    return rows[0]!.found;
  } catch (error) {
    // 42P01: no tables yet. A database that is away is waited for as well.
    if (codeOf(error) === '42P01' || (isUndecided(error) && !isLoginRefused(error))) return false;
    throw error;
  }
}

export interface MigrationPart {
  name: string;
  run(client: ClientBase): Promise<void>;
}

/** Connects for nothing else than the migrations, which may take their time, and runs them. */
export async function migrateDatabase(
  database: { url: string; onError(error: unknown): void },
  parts: readonly MigrationPart[],
): Promise<void> {
  const pool = new pg.Pool({
    connectionString: database.url,
    max: 1,
    application_name: 'baton migrate',
    connectionTimeoutMillis: timeouts.connectMs,
  });
  pool.on('error', (error) => database.onError(error));
  try {
    await runMigrations(pool, parts);
  } finally {
    await pool.end();
  }
}

/** Log and catalogue migrations under one lock; the parts run in this order. */
export function runMigrations(pool: Pool, parts: readonly MigrationPart[]): Promise<void> {
  return withMigrationLock(pool, async (client) => {
    for (const part of parts) {
      try {
        await part.run(client);
      } catch (error) {
        throw new Error(
          `The migrations of the ${part.name} stopped: ${error instanceof Error ? error.message : error}`,
          {
            cause: error,
          },
        );
      }
    }
  });
}

/** Brings the log's tables up to date. The caller holds the lock (runMigrations), or is a test alone with its database. */
export async function migrateLog(db: ClientBase | Pool): Promise<void> {
  if ('totalCount' in db) return withMigrationLock(db, migrateLog);
  await db.query(
    'create table if not exists log_migration (id text primary key, applied_at timestamptz not null default now())',
  );
  const { rows } = await db.query<{ id: string }>('select id from log_migration');
  const applied = new Set(rows.map((row) => row.id));
  for (const migration of logMigrations) {
    if (applied.has(migration.id)) continue;
    await db.query('begin');
    try {
      await db.query("set local lock_timeout = '5s'");
      await db.query(migration.sql);
      await db.query('insert into log_migration (id) values ($1)', [migration.id]);
      await db.query('commit');
    } catch (error) {
      await db.query('rollback');
      throw error;
    }
  }
  await db.query(`insert into log_incarnation (number, system_identifier, timeline, reason)
    select 1, (select system_identifier::text from pg_control_system()),
      substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), 'created'
    where not exists (select from log_incarnation) on conflict do nothing`);
}
