export { Appender, type AppenderOptions } from './append/appender.js';
export * from './child.port.js';

export * from './commands/command-handler.js';
export { KnownStates } from './commands/known-states.js';
export * from './event-log.port.js';
export type { JudgedExecutor } from './liveness/liveness-judge.js';
export * from './log-router.js';
export { MemoryCell } from './memory/memory-cell.js';

export type { MemoryFaults, MemoryOptions } from './memory/memory-state.js';

export * from './message.port.js';
export * from './migrate/migration-runner.js';
export * from './postgres/log-incarnation.js';
export * from './postgres/log-pool.js';
export * from './postgres/log-unavailable.error.js';
export { isConnectionLoss, isUndecided } from './postgres/pg-errors.js';

export { openPostgresCell, type PostgresCell, type PostgresCellOptions } from './postgres/postgres-cell.js';

export { PostgresClusterEvents } from './postgres/postgres-cluster-events.js';
export { PostgresEventLog } from './postgres/postgres-event-log.js';
export { PostgresExecutorRegistry } from './postgres/postgres-executor-registry.js';
export { PostgresMessageStore } from './postgres/postgres-message-store.js';
export { PostgresProcessViews } from './postgres/postgres-process-views.js';
export { PostgresRequestStore } from './postgres/postgres-request-store.js';

export { clusterTail, PostgresTail } from './postgres/postgres-tail.js';
export { PostgresTopicStore } from './postgres/postgres-topic-store.js';
export { PostgresTraceTail } from './postgres/postgres-trace-tail.js';
export { PostgresWakeUp } from './postgres/postgres-wake-up.js';
export { PostgresWorkLists } from './postgres/postgres-work-lists.js';

export { awaitSessionMode } from './postgres/session-mode.js';
export { withTransaction } from './postgres/transaction.js';
export * from './process-id.js';
export * from './read-model.port.js';
export { type ProcessView, viewAfter, viewEventTypes } from './read-models/process-view.js';
export { type RebuildOptions, type RebuildResult, rebuildLog, rebuildStreams } from './rebuild/rebuild-log.js';
export * from './requests.port.js';
export * from './topic.port.js';
