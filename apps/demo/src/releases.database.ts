import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PostgresCluster } from '@baton/postgres';
import pg from 'pg';

/** The database that the demo's releases write to: a PostgreSQL of its own, beside and unknown to Baton's. */
export class ReleasesDatabase {
  private constructor(private readonly server: PostgresCluster) {}

  get url(): string {
    return this.server.url();
  }

  static async start(directory: string): Promise<ReleasesDatabase> {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    const server = await PostgresCluster.start({
      directory: join(directory, 'postgres'),
      logFile: join(directory, 'postgres.log'),
      password: 'demo',
    });
    const database = new ReleasesDatabase(server);
    await database.query(
      'create table release (id bigint generated always as identity, process text, service text, version text, undone int not null default 0)',
    );
    return database;
  }

  async query(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  stop(): Promise<void> {
    return this.server.stop('fast');
  }
}
