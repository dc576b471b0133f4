import { type TestCluster, testCluster } from '@baton/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { effectContext } from '../shared/effect.fixture.js';
import { runSql } from './sql.operator.js';
import { TargetPools } from './target.pool.js';

let cluster: TestCluster;
const pools = new TargetPools();

beforeAll(async () => {
  cluster = await testCluster();
  await query('create table work (note text)');
});
afterAll(async () => {
  await pools.end();
  await cluster.drop();
});

/** Over a connection of its own: the server dies in these tests. */
async function query<T extends pg.QueryResultRow>(sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: cluster.cluster.url() });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function backendOf(text: string): Promise<number> {
  for (;;) {
    const [row] = await query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'baton-sql' and state = 'active' and query like '%${text}%'`,
    );
    if (row) return row.pid;
  }
}

const attempt = (key: string, statements: string[], number: number) =>
  runSql(
    effectContext(
      { connection: 'app', statements },
      {
        idempotencyKey: key,
        attempt: number,
        connection: async () => ({ type: 'postgresql', url: cluster.cluster.url() }),
      },
    ),
    { pools },
  );

/** The server recovers by itself; until then each attempt is a known failure. */
async function untilCompleted(key: string, statements: string[]): Promise<number> {
  for (let number = 2; ; number++) {
    const result = await attempt(key, statements, number);
    if (result.status === 'completed') return number;
    expect(result).toMatchObject({ status: 'failed', error: { code: 'connection' } });
  }
}

it('the backend dies by SIGKILL, and PostgreSQL with it: nothing happened, and then it happens once', async () => {
  const result = attempt('killed', ["insert into work values ('killed')", 'select pg_sleep(41)'], 1);
  process.kill(await backendOf('pg_sleep(41)'), 'SIGKILL');
  expect(await result).toMatchObject({ status: 'failed', error: { code: 'connection' } });
  await untilCompleted('killed', ["insert into work values ('killed')"]);
  expect(await query("select note from work where note = 'killed'")).toHaveLength(1);
});

it('the server is shut down at once and started again: what was committed is found, not done again', async () => {
  const statements = ["insert into work values ('restarted')"];
  expect(await attempt('restarted', statements, 1)).toMatchObject({ status: 'completed' });
  await cluster.cluster.restart('immediate');
  await untilCompleted('restarted', statements);
  expect(await query("select note from work where note = 'restarted'")).toHaveLength(1);
});

it('somebody listens to a session before it is handed out: one that ends in that moment would end the program', async () => {
  const one = await pools.connect(cluster.cluster.url(), new AbortController().signal);
  // The connection's own listener, which comes a moment after it was handed out, and the pool's.
  expect(one.client.listenerCount('error')).toBe(2);
  one.cut();
});
