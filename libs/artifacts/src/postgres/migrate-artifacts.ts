import type { ClientBase, Pool } from 'pg';
import { migration0001Artifacts } from '../sql/migration-0001-artifacts.sql.js';

/** Forward only; a released one never changes. */
export const artifactMigrations: readonly { id: string; sql: string }[] = [
  { id: '0001-artifacts', sql: migration0001Artifacts },
];

/** Brings the store's tables up to date. The caller holds the lock of all migrations, or is a test alone with its database. */
export async function migrateArtifacts(db: ClientBase | Pool): Promise<void> {
  if ('totalCount' in db) {
    const client = await db.connect();
    try {
      await migrateArtifacts(client);
    } finally {
      client.release();
    }
    return;
  }
  await db.query(
    'create table if not exists artifact_migration (id text primary key, applied_at timestamptz not null default now())',
  );
  const { rows } = await db.query<{ id: string }>('select id from artifact_migration');
  const applied = new Set(rows.map((row) => row.id));
  for (const migration of artifactMigrations) {
    if (applied.has(migration.id)) continue;
    await db.query('begin');
    try {
      await db.query("set local lock_timeout = '5s'");
      await db.query(migration.sql);
      await db.query('insert into artifact_migration (id) values ($1)', [migration.id]);
      await db.query('commit');
    } catch (error) {
      await db.query('rollback');
      throw error;
    }
  }
}
