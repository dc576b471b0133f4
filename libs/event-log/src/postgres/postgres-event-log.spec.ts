import { eventLogContract } from '../contract/event-log.contract.js';
import { logDatabase } from '../contract/log-under-test.js';
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
