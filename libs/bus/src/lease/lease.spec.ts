import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLog } from '../contract/bus-log.fixture.js';
import { Lease, releaseLeases } from './lease.js';

let log: Awaited<ReturnType<typeof openLog>>;
beforeAll(async () => {
  log = await openLog();
});
afterAll(() => log.close());

it('is held by one at a time, prolonged by its holder, and numbered by its changes of holder', async () => {
  const a = new Lease(log.pool, 'duty', 'a', 60_000);
  const b = new Lease(log.pool, 'duty', 'b', 60_000);
  expect(await a.hold()).toBe(1n);
  expect(await b.hold()).toBeNull();
  expect(await a.hold()).toBe(1n);
  await releaseLeases(log.pool, 'a');
  expect(await b.hold()).toBe(2n);
  expect(await a.hold()).toBeNull();
});

it('passes to the next when it has run out by the clock of the database', async () => {
  expect(await new Lease(log.pool, 'frozen', 'a', -1).hold()).toBe(1n);
  expect(await new Lease(log.pool, 'frozen', 'b', 60_000).hold()).toBe(2n);
});
