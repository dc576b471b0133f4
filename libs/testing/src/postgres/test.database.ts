import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type TestCluster, testCluster } from './test.cluster.js';

export interface TestDatabase {
  url: string;
  cluster: TestCluster;
  drop(): Promise<void>;
}
export interface TestDatabaseOptions {
  /** Makes the schema. Run once per server and name; further databases are copies of what it made. */
  migrate?: { name: string; run(url: string): Promise<void> };
}

const shared = process.env['BATON_TEST_POSTGRES'];
let cluster: Promise<TestCluster> | undefined;

/** A database of its own for a test file, on the server that all files of a run share. */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = await serverOf();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const source = options.migrate ? await migrated(server, options.migrate) : 'template1';
  await admin(server, (client) => client.query(`create database ${name} template ${source}`));
  return {
    url: server.url(name),
    cluster: server,
    drop: () =>
      admin(server, (client) => client.query(`drop database if exists ${name} with (force)`)).then(() => undefined),
  };
}

async function serverOf(): Promise<TestCluster> {
  cluster ??= shared ? Promise.resolve(remote(shared)) : testCluster({ max_connections: 300 });
  return cluster;
}

async function migrated(server: TestCluster, migrate: NonNullable<TestDatabaseOptions['migrate']>): Promise<string> {
  const name = `migrated_${migrate.name.replace(/\W/g, '_')}`;
  await admin(server, async (client) => {
    await client.query('select pg_advisory_lock(4711)'); // several test files may ask at once
    const known = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (known.rowCount === 0) {
      await client.query(`drop database if exists ${name}_new with (force)`);
      await client.query(`create database ${name}_new`);
      await migrate.run(server.url(`${name}_new`));
      await client.query(`alter database ${name}_new rename to ${name}`);
    }
  });
  return name;
}

async function admin<T>(server: TestCluster, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: server.url('postgres') });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The server that vitest's global setup started; it is not ours to stop. */
function remote(url: string): TestCluster {
  const base = new URL(url);
  const refuse = () => {
    throw new Error('This server is shared by all test files; take testCluster() for one that may be stopped.');
  };
  return {
    port: Number(base.port),
    directory: '',
    url: (database = 'postgres') => Object.assign(new URL(url), { pathname: `/${database}` }).href,
    start: refuse,
    stop: refuse,
    restart: refuse,
    remove: refuse,
  };
}
