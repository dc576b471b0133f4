import { createLogPool } from '@baton/event-log';

/** Makes the database unless it is there. */
export async function createDatabase(serverUrl: string, name: string): Promise<void> {
  const pool = createLogPool({ url: serverUrl, application: 'baton up', max: 1 });
  try {
    const found = await pool.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await pool.query(`create database ${name}`);
  } finally {
    await pool.end();
  }
}
