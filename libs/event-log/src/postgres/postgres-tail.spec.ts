import { afterAll, beforeAll, expect, it } from 'vitest';
import { logDatabase } from '../contract/log-under-test.js';
import { requested } from '../contract/sample-events.js';
import type { TailPosition } from '../event-log.port.js';
import { newProcessId } from '../process-id.js';
import { PostgresEventLog } from './postgres-event-log.js';
import { PostgresTail } from './postgres-tail.js';

let db: Awaited<ReturnType<typeof logDatabase>>;
beforeAll(async () => {
  db = await logDatabase();
});
afterAll(() => db.close());

it('reads transactions in the order of their numbers, not of their digits: nothing twice, nothing skipped', async () => {
  const log = new PostgresEventLog(db.pool, 'c1');
  const number = async (): Promise<number> =>
    Number((await db.pool.query('select pg_current_xact_id()::text as id')).rows[0].id);
  // Up to the next number with one digit more, so that a text order would turn the two sides around.
  const now = await number();
  const border = 10 ** String(now).length;
  await db.pool.query(`do $$ begin for i in 1..${border - now - 20} loop
    perform pg_current_xact_id(); commit; end loop; end $$`);
  const written: string[] = [];
  while ((await number()) < border + 10) {
    const stream = newProcessId('c1');
    await log.append([{ stream, expected: 'none', events: [requested()] }]);
    written.push(stream);
  }
  const tail = new PostgresTail(db.pool, 'c1');
  const read: string[] = [];
  let position: TailPosition | null = null;
  while (read.length < written.length) {
    const page = await tail.read(position, 3);
    read.push(...page.events.map((event) => event.stream));
    position = page.position;
  }
  expect(read).toEqual(written);
});
