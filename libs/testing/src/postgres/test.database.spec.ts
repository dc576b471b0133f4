import pg from 'pg';
import { expect, it } from 'vitest';
import { testDatabase } from './test.database.js';

it('every test file has a database of its own, copied from a migrated template', async () => {
  let runs = 0;
  const migrate = {
    name: 'spec v1',
    run: async (url: string) => {
      runs++;
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query('create table thing (id int)');
      await client.end();
    },
  };
  const [a, b] = await Promise.all([testDatabase({ migrate }), testDatabase({ migrate })]);
  expect(runs).toBeLessThanOrEqual(1);
  expect(a.url).not.toBe(b.url);
  const client = new pg.Client({ connectionString: a.url });
  await client.connect();
  expect((await client.query('select * from thing')).rows).toEqual([]);
  await client.end();
  await a.drop();
  await b.drop();
});
