import type { Append, AppendResult, ClaimSource, EventLog, ExecutorRegistry, SnapshotStore } from '@baton/event-log';
import type {
  ChildToSpawn,
  CompiledDefinition,
  EffectOutcome,
  EffectToBegin,
  Json,
  OperatorError,
  ProcessCommand,
  ProcessEventData,
  ProcessState,
} from '@baton/process';
import type { Clock } from './clock/clock.port.js';

/** What the executor needs of the world. Everything here is injected; the simulation gives its own. */
export interface ExecutorPorts {
  clock: Clock;
  /** 0 ≤ r < 1. For jitter and spreading only. */
  random(): number;
  /** UUIDv7. */
  newId(): string;
  log: Pick<EventLog, 'read' | 'readToFold' | 'readWholeToFold' | 'readMany' | 'heads'>;
  /** A group commit of its own for each incarnation: what a lost one left in flight holds up nobody. */
  newAppender(): Appends & { stop(): void };
  claims: ClaimSource;
  registry: ExecutorRegistry;
  snapshots: Pick<SnapshotStore, 'load' | 'save'>;
  definitions: Definitions;
  effects: EffectHost;
  commands: Commands;
  wakeUp: { notify(topic: 'runnable' | 'owned' | 'queue' | 'ended' | 'message' | 'cluster', detail?: string): void };
  artifacts: Artifacts;
  logger: Logger;
  meter: Meter;
  /** The trace context that an attempt's calls and children carry; absent: none. */
  traceparent?(process: { id: string; traceparent: string | null }, path: string, attempt: number): string | undefined;
  /** For the simulation: the live state after each append, to be compared with its replay. */
  onCommitted?(stream: string, version: number, state: ProcessState): void;
}

/** Group commit (libs/event-log, Appender): many callers, one commit. Throws InDoubt and BadEvent like the log. */
export interface Appends {
  append(append: Append): Promise<AppendResult>;
}

/** Commands to other streams: load, decide, append with no owner, again on conflict. */
export interface Commands {
  handle(stream: string, command: ProcessCommand, causation?: string): Promise<unknown>;
  /** The child's end has reached its parent: the scan need not tell it again. */
  markTold(child: string): Promise<void>;
}

export interface Definitions {
  /** Null: unknown, or not understood by this version of Baton: such a process is not claimed. */
  load(name: string, version: number): Promise<CompiledDefinition | null>;
  /** The request by which a child begins: its version is resolved, its inputs are checked. */
  requestChild(
    child: ChildToSpawn,
    parent: { name: string; version: number },
  ): Promise<{ data: ProcessEventData['ProcessRequested'] } | { error: OperatorError }>;
}

/** Runs effects. The outcome always comes, as a result; it never rejects. `abort` is the attempt's own: a timeout uses it, too. */
export interface EffectHost {
  run(effect: EffectToBegin, process: EffectProcess, abort: AbortController, guard: BeginGuard): Promise<EffectOutcome>;
}
export interface EffectProcess {
  id: string;
  environment: string | null;
  traceparent?: string;
  tracestate?: string;
  incarnation: string;
  /** By the database's clock. */
  now(): number;
}
/** Design 2, "Beginning an effect", a: asked in the very step that begins the effect. A text says why not. */
export type BeginGuard = () => string | null;

/** Outputs that stand in the artifact store and that an expression reads. */
export interface Artifacts {
  load(digest: string): Promise<Json>;
  put(content: Uint8Array, mediaType: string): Promise<{ digest: string; size: number }>;
}

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Counters and durations; names as in design 9. */
export interface Meter {
  count(name: string, value?: number, attributes?: Record<string, string>): void;
  record(name: string, value: number, attributes?: Record<string, string>): void;
}

export interface ExecutorSettings {
  leaseMs: number;
  heartbeatMs: number;
  pollMs: number;
  /** Processes driven at the same time. */
  capacity: number;
  /** Claims and takeovers in one go. */
  batch: number;
  /** Upper bound of takeovers a second, so that a restart of the whole cluster does not run over the database. */
  takeoversPerSecond: number;
  /** Deaths without progress that make an incident; the last one is alone. Read at each use: it is a cluster setting. */
  quarantineDeaths(): number;
  /** SIGTERM to the end, ms. */
  graceMs: number;
  snapshotEvery: number;
}

export const defaultSettings: ExecutorSettings = {
  leaseMs: 3000,
  heartbeatMs: 1000,
  pollMs: 1000,
  capacity: 1000,
  batch: 200,
  takeoversPerSecond: 1000,
  quarantineDeaths: () => 3,
  graceMs: 20_000,
  snapshotEvery: 500,
};
