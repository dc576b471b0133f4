import { untilSettled } from '@baton/testing';
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

it('gives to who passes events on the same ones, in the same order, with their data as text', async () => {
  const log = new PostgresEventLog(db.pool, 'c1');
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const [first, second] = [requested(), requested()];
  await log.append([
    { stream: newProcessId('c1'), expected: 'none', events: [{ ...first, metadata: { traceparent } }] },
    { stream: newProcessId('c1'), expected: 'none', events: [second] },
  ]);
  await untilSettled(db.pool);
  const tail = new PostgresTail(db.pool, 'c1');
  const whole = await tail.read(null, 1_000);
  const stored = await tail.readStored(null, 1_000);
  const parsed = stored.events.map(({ data, traceparent: trace, ...event }) => ({
    ...event,
    data: JSON.parse(data),
    metadata: trace === undefined ? {} : { traceparent: trace },
  }));
  expect(parsed).toEqual(whole.events);
  expect(stored.events.filter((event) => event.traceparent === traceparent)).toHaveLength(1);
  expect(stored.position).toEqual(whole.position);
  expect(await tail.readStored(stored.position, 10)).toEqual({ events: [], position: stored.position });
  const page = await tail.readStored((await tail.read(null, 2)).position, 1);
  expect(page.events.map(({ id }) => id)).toEqual([whole.events[2]?.id]);
});
