import { testDatabase } from '@baton/testing';
import pg from 'pg';
import { migrateLog } from '../migrate/migration-runner.js';
import { createLogPool } from '../postgres/log-pool.js';

export interface DatabaseUnderTest {
  url: string;
  pool: pg.Pool;
  close(): Promise<void>;
}

/** A database of its own with the log's tables. */
export async function logDatabase(): Promise<DatabaseUnderTest> {
  const database = await testDatabase({
    migrate: {
      name: 'event-log 1',
      run: async (url) => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        await migrateLog(client);
        await client.end();
      },
    },
  });
  const pool = createLogPool({ url: database.url, application: 'spec', max: 12, use: 'driver' });
  return {
    url: database.url,
    pool,
    close: async () => {
      await pool.end();
      await database.drop();
    },
  };
}
