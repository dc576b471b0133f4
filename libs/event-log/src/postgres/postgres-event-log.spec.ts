import { expect, it } from 'vitest';
import { eventLogContract } from '../contract/event-log.contract.js';
import { logDatabase } from '../contract/log-under-test.js';
import { requested, scheduled } from '../contract/sample-events.js';
import { newProcessId } from '../process-id.js';
import { PostgresClaimSource } from './postgres-claim-source.js';
import { PostgresEventLog } from './postgres-event-log.js';
import { PostgresExecutorRegistry } from './postgres-executor-registry.js';
import { PostgresSnapshotStore } from './postgres-snapshot-store.js';
import { PostgresTail } from './postgres-tail.js';

eventLogContract('PostgreSQL', async () => {
  const { pool, url, close } = await logDatabase();
  return {
    log: new PostgresEventLog(pool, 'c1'),
    executors: new PostgresExecutorRegistry(pool, url),
    claims: new PostgresClaimSource(pool, 'c1'),
    tail: new PostgresTail(pool, 'c1'),
    snapshots: new PostgresSnapshotStore(pool, 'c1'),
    close,
  };
});

it('gives for folding the very millisecond that a read gives, also where a time has no part of one', async () => {
  const { pool, close } = await logDatabase();
  const log = new PostgresEventLog(pool, 'c1');
  const stream = newProcessId('c1');
  const events = [requested(), ...Array.from({ length: 199 }, scheduled)];
  await log.append([{ stream, expected: 'none', events }]);
  await pool.query(`update event set recorded_at = '2026-11-28 12:00:00Z'::timestamptz + sequence * interval '7 ms'`);
  const read = (await log.read(stream)).map(({ recordedAt }) => recordedAt);
  expect((await log.readToFold(stream, 0, 1000)).map(({ recordedAt }) => recordedAt)).toEqual(read);
  expect((await log.readWholeToFold([stream])).get(stream)?.map(({ recordedAt }) => recordedAt)).toEqual(read);
  await close();
});
