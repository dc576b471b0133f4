import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { type TestDatabase, type TestMigration, testCluster, testDatabase } from './test-database.js';

const migrate: TestMigration = {
  name: 'test-database.spec',
  async run(url) {
    migrations++;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('create table fact (id int)');
    await client.end();
  },
};
let migrations = 0;

describe('a test database', () => {
  const made: TestDatabase[] = [];
  afterAll(() => Promise.all(made.map((database) => database.drop())));

  it('is a migrated one of its own for each who asks, and the migration runs once', async () => {
    made.push(...(await Promise.all([testDatabase({ migrate }), testDatabase({ migrate })])));
    const [one, other] = made;
    await one?.pool.query('insert into fact values (1)');
    expect((await other?.pool.query('select * from fact'))?.rowCount).toBe(0);
    expect(migrations).toBe(1);
  });
});

describe('a cluster of its own', () => {
  it('keeps what was committed over an immediate stop, a kill and a restart on the same port', async () => {
    const { cluster, database, drop } = await testCluster({ synchronous_commit: 'on' });
    const { url, pool } = await database({ migrate });
    await pool.query('insert into fact values (1)');
    await pool.end();
    await cluster.restart('immediate');
    await cluster.kill();
    expect(cluster.pid).toBeUndefined();
    await cluster.start();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    expect((await client.query('select * from fact')).rowCount).toBe(1);
    await client.end();
    await drop();
  });
});
