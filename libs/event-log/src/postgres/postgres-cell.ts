import type { Pool } from 'pg';
import { createLogPool } from './log-pool.js';
import { PostgresChildStore } from './postgres-child-store.js';
import { PostgresClaimSource } from './postgres-claim-source.js';
import { PostgresEventLog } from './postgres-event-log.js';
import { PostgresExecutorRegistry } from './postgres-executor-registry.js';
import { PostgresMessageStore } from './postgres-message-store.js';
import { PostgresProcessViews } from './postgres-process-views.js';
import { PostgresRequestStore } from './postgres-request-store.js';
import { PostgresSnapshotStore } from './postgres-snapshot-store.js';
import { PostgresTail } from './postgres-tail.js';
import { PostgresWakeUp } from './postgres-wake-up.js';
import { PostgresWorkLists } from './postgres-work-lists.js';

export interface PostgresCellOptions {
  url: string;
  cell: string;
  /** Shown in pg_stat_activity. */
  application: string;
  /** Connections of the appends: the lanes of an executor. */
  driverConnections?: number;
  /** Connections of everything else. */
  serviceConnections?: number;
  notify?: boolean;
  onError?(error: Error): void;
}

export interface PostgresCell {
  cell: string;
  log: PostgresEventLog;
  claims: PostgresClaimSource;
  executors: PostgresExecutorRegistry;
  tail: PostgresTail;
  snapshots: PostgresSnapshotStore;
  wakeUp: PostgresWakeUp;
  requests: PostgresRequestStore;
  children: PostgresChildStore;
  messages: PostgresMessageStore;
  views: PostgresProcessViews;
  lists: PostgresWorkLists;
  /** driver: appends, reads, claims. service: lists, queue, tail. heartbeat: liveness and health alone. */
  pools: { driver: Pool; service: Pool; heartbeat: Pool };
  close(): Promise<void>;
}

/** All ports of one cell over PostgreSQL. Connects lazily; `wakeUp.start()` is the caller's. */
export function openPostgresCell(options: PostgresCellOptions): PostgresCell {
  const { url, cell, application, onError } = options;
  const more = onError ? { onError } : {};
  const driver = createLogPool({
    url,
    application: `${application} driver`,
    use: 'driver',
    max: options.driverConnections ?? 4,
    ...more,
  });
  const service = createLogPool({
    url,
    application: `${application} service`,
    max: options.serviceConnections ?? 4,
    ...more,
  });
  const heartbeat = createLogPool({
    url,
    application: `${application} heartbeat`,
    use: 'heartbeat',
    max: 2,
    statementTimeoutMs: 2_000,
    ...more,
  });
  const log = new PostgresEventLog(driver, cell);
  const wakeUp = new PostgresWakeUp(url, { enabled: options.notify ?? true });
  return {
    cell,
    log,
    claims: new PostgresClaimSource(driver, cell),
    executors: new PostgresExecutorRegistry(heartbeat, url),
    tail: new PostgresTail(service, cell),
    snapshots: new PostgresSnapshotStore(service, cell),
    wakeUp,
    requests: new PostgresRequestStore(driver, log),
    children: new PostgresChildStore(service, cell),
    messages: new PostgresMessageStore(service, cell),
    views: new PostgresProcessViews(service, cell),
    lists: new PostgresWorkLists(service, cell),
    pools: { driver, service, heartbeat },
    close: async () => {
      await wakeUp.stop();
      await Promise.all([driver.end(), service.end(), heartbeat.end()]);
    },
  };
}
