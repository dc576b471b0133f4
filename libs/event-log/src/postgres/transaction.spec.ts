import { afterAll, beforeAll, expect, it } from 'vitest';
import { logDatabase } from '../contract/log-under-test.js';
import { withTransaction } from './transaction.js';

let db: Awaited<ReturnType<typeof logDatabase>>;
beforeAll(async () => {
  db = await logDatabase();
});
afterAll(() => db.close());

it('fails, and takes no program with it, when its connection breaks between two queries', async () => {
  const broken = withTransaction(db.pool, async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const ended = new Promise((resolve) => client.once('end', resolve));
    await db.pool.query('select pg_terminate_backend($1)', [rows[0]!.pid]);
    await ended;
    return client.query('select 1');
  });
  await expect(broken).rejects.toThrow();
  expect((await db.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

it('tells a swallowed error by the tag of COMMIT', async () => {
  const swallowed = withTransaction(db.pool, async (client) => {
    await client.query('select 1 / 0').catch(() => undefined);
  });
  await expect(swallowed).rejects.toThrow(/COMMIT answered ROLLBACK/);
});

it('does not nest', async () => {
  const nested = withTransaction(db.pool, () => withTransaction(db.pool, async () => 1));
  await expect(nested).rejects.toThrow(/do not nest/);
});

it('is in doubt when PostgreSQL commits with a warning', async () => {
  await db.pool.query(`create table warned (n int)`);
  await db.pool.query(`create function warn() returns trigger language plpgsql as
    $$ begin raise warning 'canceling wait for synchronous replication'; return null; end $$`);
  await db.pool.query(
    `create constraint trigger warn after insert on warned deferrable initially deferred for each row execute function warn()`,
  );
  const warned = withTransaction(db.pool, (client) => client.query('insert into warned values (1)'));
  await expect(warned).rejects.toMatchObject({ name: 'InDoubt' });
});
