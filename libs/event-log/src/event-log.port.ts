import type { EventMetadata, ProcessEvent, RecordedEvent } from '@baton/process';

/**
 * The port of the event log (design 2). Adapters: PostgreSQL (`postgres/`) and in memory (`memory/`, for simulation and tests).
 * Both pass the contract suite `event-log.contract.ts`.
 */
export interface EventLog {
  /**
   * Appends to several streams in one statement and one commit. All-or-nothing per stream; a stream that conflicts is
   * refused alone. A stream occurs at most once per call. Results are in the order of the appends.
   * Throws InDoubt when the answer to the commit was lost (nothing may be concluded; ask resolve()), and BadEvent
   * when one event cannot be stored (class 22, 23, 54) after the batch was halved until the culprit was alone.
   */
  append(appends: Append[]): Promise<AppendResult[]>;
  /** The same, but tells for each append what became of it instead of throwing: what a group commit needs. */
  appendEach(appends: readonly Append[]): Promise<AppendOutcome[]>;
  /** Events after `after` (exclusive, default 0), in order. */
  read(stream: string, after?: number, limit?: number): Promise<RecordedEvent[]>;
  /** The same, without what only identifies an event: for long streams, a fifth of the work of `read`. */
  readToFold(stream: string, after: number, limit: number): Promise<EventToFold[]>;
  /** The same for many short streams in one round trip, each from its beginning. */
  readWholeToFold(streams: readonly string[]): Promise<Map<string, EventToFold[]>>;
  /** The same as `read` for many streams in one round trip. */
  readMany(streams: { stream: string; after: number }[]): Promise<Map<string, RecordedEvent[]>>;
  /** The heads of these streams; absent ones are not in the map. Read in a statement of its own (a version selected in a refusing statement is stale). */
  heads(streams: string[]): Promise<Map<string, Head>>;
}

/** As it was written, perhaps by another release. */
export interface EventToFold {
  type: string;
  schemaVersion: number;
  data: object;
  sequence: number;
  /** Of the process's own events (`Process…`) alone. */
  recordedAt?: string;
  metadata?: EventMetadata;
}

export interface Append {
  stream: string;
  /** The version that was read in an earlier statement, or 'none' for a new stream. Never omitted, no "any". */
  expected: number | 'none';
  /**
   * Whose head it must be, checked in the same statement. An incarnation: the driver's append (also a takeover: the lost one).
   * null: nobody's (a claim). undefined: a command from outside, whoever owns it.
   */
  owner?: string | null;
  events: EventToAppend[];
  /** Head columns and rows follow from the events (headChangeOf, libs/process). */
}
export interface EventToAppend {
  id: string; // UUIDv7, made before the first try, kept over retries
  event: ProcessEvent;
  metadata: EventMetadata;
  /** Default 1. */
  schemaVersion?: number;
}

export type AppendOutcome = AppendResult | { status: 'bad'; error: BadEvent } | { status: 'in-doubt'; error: InDoubt };

export type AppendResult =
  | { status: 'appended'; version: number; recordedAt: string }
  /** Another version, or another owner: told apart by reading the head afterwards (classify). */
  | { status: 'refused' };

export interface Head {
  stream: string;
  version: number;
  owner: string | null;
  /** ISO, or null. */
  runnableAt: string | null;
  priority: number;
  claims: number;
}

/** The answer to a commit was lost: it may or may not be in the log. The version decides (rule 4). */
export class InDoubt extends Error {
  override name = 'InDoubt';
}
/** Storing this stream's events failed for what is in them. The others went through. */
export class BadEvent extends Error {
  override name = 'BadEvent';
  constructor(
    readonly stream: string,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Claiming (design 2, "Claiming and liveness"). */
export interface ClaimSource {
  /**
   * Runnable processes without an owner, per priority level, due now. Only a look: nothing is locked. Each executor that is
   * alive and has room has a share of them, told by `mine`; what is another's is shown when it has waited for `othersMs`.
   */
  lookForRunnable(
    limit: number,
    look: { me: string; except?: readonly string[]; othersMs?: number | undefined },
  ): Promise<{ stream: string; version: number; claims: number; priority: number; mine: boolean; waitedMs?: number }[]>;
  /** Heads owned by this incarnation: what I own and do not drive, what has a newer version than I folded. */
  ownedBy(executor: string): Promise<{ stream: string; version: number }[]>;
  /** Heads whose owner is a lost incarnation, spread: a random share of all but those. */
  lookForOrphans(
    limit: number,
    except?: readonly string[],
  ): Promise<{ stream: string; version: number; owner: string; claims: number; waitedMs?: number }[]>;
  /** The earliest future runnable_at of unowned heads. */
  nextDueAt(): Promise<string | null>;
}

/** Incarnations of executors: liveness, proof of death (design 2). All times are the database's. */
export interface ExecutorRegistry {
  join(executor: {
    id: string;
    host: string;
    pid: number;
    version: string;
    capacity: number;
    leaseMs: number;
    http?: string;
    /** Default: a third of the lease. */
    heartbeatMs?: number;
  }): Promise<void>;
  /** False: this incarnation was marked lost and must end. Returns the database's clock (ms). */
  heartbeat(
    id: string,
    report: { driven: number; draining: boolean; progress: number },
  ): Promise<{ alive: boolean; now: number }>;
  /** Takes the session advisory lock of the incarnation, on a connection of its own. Optional capability. */
  holdLock(id: string, onLost?: () => void): Promise<{ held: boolean; release(): Promise<void> }>;
  /**
   * Incarnations that are over and still own processes, after those that `me` may call lost by now (design 2) are marked.
   * `judges` false: only what others have found.
   */
  detectLost(me: string, judges?: boolean): Promise<LostExecutor[]>;
  /** When the next look of `me` can find what the last one only suspected; null: it suspected nobody. */
  suspicionCountsInMs(me: string): number | null;
  /** Proof from outside: its supervisor saw it exit. */
  recordExit(id: string, detail: { code: number | null; signal: string | null }): Promise<void>;
  leave(id: string): Promise<void>;
  list(): Promise<ExecutorRow[]>;
  /** For rule b: lost, and proven over (released, exit seen, or lease run out by the database's clock). */
  provenOver(ids: string[]): Promise<Set<string>>;
}
export interface LostExecutor {
  id: string;
  proof: 'exit' | 'lease' | 'left' | null; // null: lock free, not yet proven
}
export interface ExecutorRow {
  id: string;
  host: string;
  pid: number;
  version: string;
  status: 'alive' | 'draining' | 'suspect' | 'lost' | 'left';
  processes: number;
  capacity: number;
  startedAt: string;
  heartbeatAt: string;
  http?: string;
  leaseMs: number;
  endedAt: string | null;
  proof: 'exit' | 'lease' | 'left' | null;
}

/** The tail: settled events of all streams, for subscribers (rule 3). */
export interface Tail {
  /**
   * At most `limit` settled events after the position. Order per stream is stream order. With `types` only events of
   * these types, for subscribers that may miss one (hints): the position then passes over all that was looked through.
   */
  read(
    after: TailPosition | null,
    limit: number,
    types?: readonly string[],
  ): Promise<{ events: RecordedEvent[]; position: TailPosition | null; horizonAgeMs: number }>;
  checkpoint(subscriber: string): Promise<TailPosition | null>;
  /** Compare-and-set, so that a stale publisher cannot move it back. False: somebody else moved it. */
  moveCheckpoint(subscriber: string, from: TailPosition | null, to: TailPosition): Promise<boolean>;
  /** Who holds the tail back, oldest first. */
  horizon(): Promise<HorizonHolder[]>;
  /** The end of what is settled now: where a subscriber begins that does not want the past. */
  end(): Promise<TailPosition | null>;
}

/** What spans are made of. What people and targets wrote (inputs, outputs, answers) may be missing in `data`. */
export interface TraceEvent {
  type: string;
  stream: string;
  sequence: number;
  /** ms since 1970. */
  recordedAt: number;
  data: object;
  /** Of the first event of a stream; empty in all others. */
  metadata: { traceparent?: string; tracestate?: string };
}
/** The tail, with of each event only what a trace needs. */
export interface TraceTail {
  read(after: TailPosition | null, limit: number): Promise<{ events: TraceEvent[]; position: TailPosition | null }>;
}

/** An event for who passes it on and does not look into it. */
export interface StoredEvent {
  id: string;
  type: string;
  schemaVersion: number;
  stream: string;
  sequence: number;
  recordedAt: string;
  logIncarnation: number;
  traceparent?: string;
  /** JSON, as the database writes it. */
  data: string;
}
export interface StoredTail {
  /** As `Tail.read`. */
  readStored(
    after: TailPosition | null,
    limit: number,
  ): Promise<{ events: StoredEvent[]; position: TailPosition | null }>;
}
export interface HorizonHolder {
  pid: number | null;
  database: string | null;
  application: string;
  state: string;
  ageMs: number;
}
export interface TailPosition {
  logIncarnation: number;
  transactionId: string;
  stream: string;
  sequence: number;
}

/** Folded state of long streams. Disposable: one that cannot be read is ignored, never fatal. */
export interface SnapshotStore {
  load(stream: string, shape: number): Promise<{ version: number; text: string } | null>;
  save(stream: string, shape: number, version: number, text: string): Promise<void>;
  clear(): Promise<void>;
}

/** Hints only: correctness never rests on them. */
export interface WakeUp {
  /**
   * runnable: something became so; owned: a driven process (the detail) has news; queue: something is to be admitted;
   * ended: a process (the detail) has, and what it held is free; message: a receiver waits for one that may be here;
   * cluster: a server came or went.
   * Coalesced, at most every 3 ms, never in an append's transaction.
   */
  notify(topic: 'runnable' | 'owned' | 'queue' | 'ended' | 'message' | 'cluster', detail?: string): void;
  listen(listener: (topic: string, detail: string) => void): () => void;
}
