import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { inject } from 'vitest';
import { z } from 'zod';
import './global-setup.js';
import { throwawayCluster } from './throwaway-cluster.js';

/** How a database comes to its tables: runs once per test run and name, every further database is a copy. */
export interface TestMigration {
  name: string;
  run(url: string): Promise<void>;
}

export interface TestDatabaseOptions {
  migrate?: TestMigration;
}

export interface TestDatabase {
  url: string;
  name: string;
  /** A pool of its own, ended by `drop`. */
  pool: pg.Pool;
  drop(): Promise<void>;
}

const offer = z.union([z.object({ url: z.string() }), z.object({ error: z.string() })]);

/** A database of its own on a real PostgreSQL, for one test file: make it in `beforeAll`, `drop` it in `afterAll`. */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  return databaseIn(await serverUrl(), options.migrate);
}

export interface TestCluster {
  cluster: Awaited<ReturnType<typeof throwawayCluster>>['cluster'];
  database(options?: TestDatabaseOptions): Promise<TestDatabase>;
  drop(): Promise<void>;
}

/** A cluster of its own, for tests that stop, kill or restart PostgreSQL or set it otherwise. */
export async function testCluster(settings: Record<string, string | number> = {}): Promise<TestCluster> {
  const { cluster, drop } = await throwawayCluster(settings);
  return { cluster, drop, database: (options = {}) => databaseIn(cluster.url(), options.migrate) };
}

async function serverUrl(): Promise<string> {
  const socket = connect(inject('databaseServerPort'), '127.0.0.1');
  const answer = offer.parse(JSON.parse(await text(socket)));
  if ('error' in answer) throw new Error(answer.error);
  return answer.url;
}

async function databaseIn(serverUrl: string, migration: TestMigration | undefined): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = migration ? await templateFor(serverUrl, migration) : 'template1';
  await administer(serverUrl, (client) => createDatabase(client, name, template));
  const url = databaseUrl(serverUrl, name);
  const pool = new pg.Pool({ connectionString: url, max: 8 });
  pool.on('error', (error) => console.error(`an idle connection to the test database broke: ${error.message}`));
  return {
    url,
    name,
    pool,
    async drop() {
      if (!pool.ended) await pool.end();
      await administer(serverUrl, (client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/** Made by whichever test file needs it first; the others wait for it at the advisory lock. */
async function templateFor(serverUrl: string, migration: TestMigration): Promise<string> {
  const digest = createHash('sha256').update(migration.name).digest();
  const name = `template_${digest.toString('hex').slice(0, 16)}`;
  await administer(serverUrl, async (client) => {
    const lock = digest.readBigInt64BE().toString();
    await client.query('select pg_advisory_lock($1)', [lock]);
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount) return;
    const unfinished = `${name}_unfinished`;
    await client.query(`drop database if exists ${unfinished} with (force)`);
    await createDatabase(client, unfinished, 'template1');
    await migration.run(databaseUrl(serverUrl, unfinished));
    await client.query(`alter database ${unfinished} rename to ${name}`);
  });
  return name;
}

async function createDatabase(client: pg.Client, name: string, template: string): Promise<void> {
  await client.query(`create database ${name} template ${template} strategy wal_log`);
}

async function administer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end(); // gives the advisory lock back as well
  }
}

function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}
