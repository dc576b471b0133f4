import { migrateArtifacts } from '@baton/artifacts';
import { migrateCatalogue } from '@baton/catalogue';
import { migrateLog, runMigrations } from '@baton/event-log';
import pg from 'pg';

/** Log and catalogue brought to this release, under one lock: two that start at once do it once. */
export async function migrateAll(url: string, onError: (error: unknown) => void): Promise<void> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    application_name: 'baton migrate',
    connectionTimeoutMillis: 5000,
  });
  pool.on('error', onError);
  try {
    await runMigrations(pool, [
      { name: 'log', run: migrateLog },
      { name: 'artifacts', run: migrateArtifacts },
      { name: 'catalogue', run: () => migrateCatalogue({ url, onError }).then(() => undefined) },
    ]);
  } finally {
    await pool.end();
  }
}
