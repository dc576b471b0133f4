import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { logDatabase } from '../contract/log-under-test.js';
import { readTail } from './read-tail.sql.js';
import { readTailStored } from './read-tail-stored.sql.js';
import { readTailTypes } from './read-tail-types.sql.js';
import { readTraceTail } from './read-trace-tail.sql.js';

const transactions = 400;

let db: Awaited<ReturnType<typeof logDatabase>>;
let client: pg.Client;
beforeAll(async () => {
  db = await logDatabase();
  // As the services read: without the settings of who appends.
  client = new pg.Client({ connectionString: db.url });
  await client.connect();
  await client.query(
    `insert into event (stream_id, transaction_id, event_id, sequence, log_incarnation, type, data)
      select uuidv7(), t::text::xid8, uuidv7(), n, 1, 'OperatorStarted', jsonb_build_object('path', repeat('a', 80))
      from generate_series(1, $1::int) t cross join generate_series(1, 50) n`,
    [transactions],
  );
  await client.query('analyze event');
});
afterAll(async () => {
  await client.end();
  await db.close();
});

it.each([
  ['readTail', readTail('event'), ''],
  ['readTailStored', readTailStored('event'), ''],
  ['readTailTypes', readTailTypes('event'), `, '{OperatorStarted,ProcessRequested}'`],
  ['readTraceTail', readTraceTail, ''],
])(
  '%s reads along the index of the tail, near its end and far from it, however it is planned',
  async (name, text, more) => {
    await client.query(`prepare ${name} as ${text}`);
    for (const mode of ['force_custom_plan', 'force_generic_plan'])
      for (const after of [1, transactions - 2]) {
        await client.query(`set plan_cache_mode = ${mode}`);
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(
          `explain execute ${name}(1, '${after}', '00000000-0000-0000-0000-000000000000', 0, 500${more})`,
        );
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
        expect(plan, `${mode} after ${after}`).toContain('Index Scan using event_tail on event');
        expect(plan, `${mode} after ${after}`).not.toContain('Seq Scan on event');
      }
  },
);
