export * from './admission.port.js';
export { Appender, type AppenderOptions, laneOf } from './append/appender.js';
export { appendUntilSettled, backoffMs } from './append/settle.js';
export * from './commands/command-handler.js';
export * from './event-log.port.js';
export { type JudgedExecutor, LivenessJudge } from './liveness/liveness-judge.js';
export * from './log-router.js';
export { MemoryCell, MemorySnapshotStore, MemoryWakeUp } from './memory/memory-cell.js';
export { MemoryClaimSource } from './memory/memory-claim-source.js';
export { MemoryEventLog } from './memory/memory-event-log.js';
export { MemoryExecutorRegistry } from './memory/memory-executor-registry.js';
export { type MemoryFaults, type MemoryOptions, MemoryState } from './memory/memory-state.js';
export {
  MemoryAdmissionStore,
  MemoryChildStore,
  MemoryMessageStore,
  MemoryRequestStore,
} from './memory/memory-stores.js';
export { MemoryTail } from './memory/memory-tail.js';
export * from './message.port.js';
export * from './migrate/migration-runner.js';
export * from './postgres/log-incarnation.js';
export * from './postgres/log-pool.js';
export * from './postgres/log-unavailable.error.js';
export { classifyAppendFailure, isConnectionLoss, isUndecided } from './postgres/pg-errors.js';
export { PostgresAdmissionStore, PostgresChildStore } from './postgres/postgres-admission-store.js';
export { openPostgresCell, type PostgresCell, type PostgresCellOptions } from './postgres/postgres-cell.js';
export { PostgresClaimSource } from './postgres/postgres-claim-source.js';
export { PostgresEventLog } from './postgres/postgres-event-log.js';
export { PostgresExecutorRegistry } from './postgres/postgres-executor-registry.js';
export { PostgresMessageStore } from './postgres/postgres-message-store.js';
export { PostgresProcessViews } from './postgres/postgres-process-views.js';
export { PostgresRequestStore } from './postgres/postgres-request-store.js';
export { PostgresSnapshotStore } from './postgres/postgres-snapshot-store.js';
export { PostgresTail } from './postgres/postgres-tail.js';
export { PostgresWakeUp } from './postgres/postgres-wake-up.js';
export { PostgresWorkLists } from './postgres/postgres-work-lists.js';
export { assertSessionMode } from './postgres/session-mode.js';
export { withTransaction } from './postgres/transaction.js';
export * from './process-id.js';
export * from './read-model.port.js';
export { type ProcessView, viewAfter } from './read-models/process-view.js';
export { type RebuildOptions, type RebuildResult, rebuildLog } from './rebuild/rebuild-log.js';
export * from './requests.port.js';
