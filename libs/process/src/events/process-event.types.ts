import type { Json, JsonObject } from '../json.types.js';

/**
 * Every fact that a process's stream may hold (design 1, 9). Past tense, immutable, additive:
 * a released shape never changes, a new one gets a higher schemaVersion and an upcaster.
 * Times inside data are ISO 8601 in UTC, by the database's clock.
 */
export interface ProcessEventData {
  // -- the process as a whole
  ProcessRequested: {
    definition: { name: string; version: number; digest: string };
    title?: string;
    environment: { name: string; variables: JsonObject } | null;
    inputs: JsonObject;
    priority: number; // 0–9, higher first
    startAt?: string;
    labels: Record<string, string>;
    requester: { id: string; groups: string[] };
    concurrency?: { key: string; limit: number; onLimit: 'queue' | 'reject' | 'skip' | 'cancelOldest' };
    parent?: { id: string; path: string; attempt: number; onParentEnd: 'cancel' | 'leave' };
    trigger?: Json;
    timeoutAt?: string;
  };
  ProcessScheduled: Record<string, never>;
  ProcessStarted: { executor: string };
  ProcessClaimed: { executor: string };
  ProcessTakenOver: {
    executor: string;
    from: string; // the incarnation that is lost
    eventsFolded: number;
    operatorsPassedOver: number; // completed operators that are not executed again
    alone?: boolean; // quarantine: driven by an executor that drives nothing else
    deaths?: number; // executors that died with it running, since its last progress
  };
  ProcessParked: { waitsFor: string[]; dueAt: string | null };
  ProcessReleased: { executor: string; reason: string };
  ProcessPaused: { by: Actor; reason?: string };
  ProcessResumed: { by: Actor; reason?: string };
  ProcessCancelRequested: { by: Actor; reason?: string };
  ProcessTimedOut: { timeoutAt: string };
  ProcessRetried: {
    by: Actor;
    reason?: string;
    paths: string[];
    /** Its place in the queue: it waits for its slot again. */
    queue?: { priority: number; key?: string; limit?: number };
  };
  ProcessCompleted: { outputs: Json };
  ProcessFailed: {
    error: OperatorError;
    path?: string;
    failed?: string[]; // when not `path` alone: every operator whose failure nobody handled
    compensated: string[];
    notUndone: string[];
  };
  ProcessCancelled: { by?: Actor; reason?: string; compensated: string[]; notUndone: string[] };

  // -- operators
  OperatorStarted: {
    path: string;
    type: string;
    class: OperatorClass;
    attempt: number;
    executor: string;
    waitsFor?: WaitsFor; // waiting operators
    items?: Json; // forEach: the list, evaluated once
    keys?: string[]; // forEach with `key`: percent-encoded, in the list's order
    round?: number; // the idempotency key's round, when above 1
    iteration?: number; // repeat: when above 1
    startedAt?: string;
    timers?: Timers; // durable waits that begin with this start
  };
  OperatorWaiting: { path: string; waitsFor: WaitsFor };
  /** The lock or window that it waited for before its start is there. */
  OperatorAdmitted: { path: string };
  OperatorCompleted: {
    path: string;
    type?: string; // of an operator that no start announced (class inline)
    held?: HeldRow[];
    attempt: number;
    outcome?: string;
    output?: Json;
    startedAt?: string;
    endedAt?: string;
    by?: Actor;
    messageId?: string; // receive: the message that it took
  };
  OperatorFailed: {
    path: string;
    type?: string; // of an operator that no start announced (class inline)
    held?: HeldRow[];
    attempt: number;
    error: OperatorError;
    startedAt?: string;
    endedAt?: string;
    output?: Json;
    cause?: string; // groups and loops: path of the innermost operator whose failure this is
    messageId?: string; // receive: the message that it took, here as in the two below
  };
  OperatorSkipped: { path: string; held?: HeldRow[]; by?: Actor; output?: Json; reason?: string };
  OperatorNotTaken: { path: string };
  OperatorCancelled: { path: string; held?: HeldRow[]; attempt: number; reason: string; race?: boolean };
  OperatorRetryScheduled: {
    path: string;
    type?: string; // of an operator that no start announced (class inline)
    held?: HeldRow[];
    attempt: number;
    error?: OperatorError;
    dueAt: string;
    newKey?: boolean;
    items?: 'failed' | 'all'; // forEach: which items are taken again
    cause?: string; // groups: path of the innermost operator whose failure this is
    counted?: boolean; // false: not a known failure (never begun, or unknown and rerun), uses up no attempt
    messageId?: string;
  };
  /** An iteration of `repeat` is over, the next one begins when it is due. */
  OperatorRepeatScheduled: {
    path: string;
    type?: string; // of an operator that no start announced (class inline)
    held?: HeldRow[];
    attempt: number;
    iteration: number;
    output?: Json;
    dueAt: string;
    messageId?: string;
  };
  OperatorOutcomeUnknown: {
    path: string;
    attempt: number;
    reason: string;
    recovery: Recovery;
    startedAt?: string;
    lost?: boolean; // found by a takeover, not reported by its operator
  };

  // -- what comes from outside
  TaskAssigned: {
    taskId: string;
    path: string;
    attempt: number;
    assign: Json;
    form: Json;
    title?: string;
    instructions?: string;
    needs: number;
    dueAt: string | null;
  };
  TaskUpdated: { taskId: string; by: Actor; draft?: Json; claimedBy?: string | null; delegatedTo?: string };
  TaskReminded: { taskId: string; path: string; kind: 'remind' | 'escalate'; nextAt?: string; assign?: Json };
  TaskAnswered: { taskId: string; path: string; answer: Json; by: Actor; answeredAt?: string };
  MessageReceived: {
    messageId: string;
    name: string; // of a record: its topic
    key?: string;
    path?: string;
    payload: Json;
    receivedAt?: string;
    /** Of a topic's record: where it stood, and its headers. */
    record?: { partition: number; offset: number; timestamp: string; headers?: Record<string, string> };
  };
  JobDone: { path: string; attempt: number; result: Json };
  CommandDone: { path: string; attempt: number; result: Json };
  ChildEnded: {
    child: string;
    path: string;
    attempt: number;
    status: 'completed' | 'failed' | 'cancelled';
    outputs?: Json;
    error?: OperatorError;
  };
  TimerFired: { path: string; timer: TimerKind; dueAt: string };
  IncidentRaised: { incidentId: string; kind: string; path?: string; reason: string; actions: IncidentAction[] };
  IncidentResolved: {
    incidentId: string;
    path?: string;
    action: IncidentAction;
    output?: Json;
    reason?: string;
    by: Actor;
  };
  CompensationStarted: { cause: 'failed' | 'cancelled' | 'timeout'; paths: string[] };
  FinallyStarted: { status: 'completed' | 'failed' | 'cancelled' };
}

export type ProcessEventType = keyof ProcessEventData;
export type ProcessEventOf<T extends ProcessEventType> = { type: T; data: ProcessEventData[T] };
/** An event that is not yet in the log: its type and its data. */
export type ProcessEvent = { [T in ProcessEventType]: ProcessEventOf<T> }[ProcessEventType];

/** Beside the data: who and what caused it. Written only where it changes. */
export interface EventMetadata {
  executor?: string; // incarnation that appended it
  actor?: string;
  causation?: string; // id of the command, request or event that caused it
  correlation?: string;
  traceparent?: string; // W3C trace context of who caused it
  tracestate?: string;
}

/** An event as the log holds it. */
export type RecordedEvent = ProcessEvent & {
  id: string; // UUIDv7
  stream: string; // the process's id
  sequence: number; // gapless from 1
  recordedAt: string;
  schemaVersion: number;
  logIncarnation: number;
  metadata: EventMetadata;
};

export interface Actor {
  id: string;
  groups?: string[];
}

export interface OperatorError {
  code: string; // e.g. connection, timeout, exit-status, expect, exhausted, expression
  message: string;
  details?: Json;
}

/** Rows beside the log that the operator had open and that this event closes: most have none, and cost no delete. */
export type HeldRow = 'task' | 'incident' | 'receiver' | 'job';
export type OperatorClass = 'inline' | 'effect' | 'waiting';
export type Recovery = 'rerun' | 'fail' | 'ask' | 'verify';
export type IncidentAction = 'rerun' | 'skip' | 'fail';
export type TimerKind =
  | 'delay'
  | 'retry'
  | 'repeat'
  | 'timeout'
  | 'deadline'
  | 'remind'
  | 'escalate'
  | 'warn'
  | 'processTimeout';
/** When which timer is due (ISO 8601, UTC). */
export type Timers = Partial<Record<TimerKind, string>>;

/** What a waiting operator waits for; parked with it, resumed with it, never triggered twice. */
export type WaitsFor =
  | { kind: 'timer'; dueAt: string }
  | { kind: 'task'; taskId: string; dueAt?: string | null }
  | { kind: 'child'; child: string; onParentEnd?: 'cancel' | 'leave' }
  | { kind: 'message'; name: string; key?: string; keepMs?: number; schema?: Json; dueAt?: string | null }
  | {
      kind: 'topic';
      topic: string;
      key?: string;
      keepMs?: number;
      match?: { expression: string; scope: JsonObject };
      schema?: Json;
      dueAt?: string | null;
    }
  | { kind: 'command'; commandId: string; agent?: Json }
  | { kind: 'job'; queue: string; jobId: string; input?: Json }
  | { kind: 'callback'; callbackId: string }
  | { kind: 'lock'; name: string; limit: number }
  | { kind: 'window'; name: string };
