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
  ProcessRetried: { by: Actor; reason?: string; paths: string[] };
  ProcessCompleted: { outputs: Json };
  ProcessFailed: { error: OperatorError; path?: string; compensated: string[]; notUndone: string[] };
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
    round?: number; // the idempotency key's round, when above 1
  };
  OperatorWaiting: { path: string; waitsFor: WaitsFor };
  OperatorCompleted: {
    path: string;
    attempt: number;
    outcome?: string;
    output?: Json;
    startedAt?: string;
    endedAt?: string;
    by?: Actor;
  };
  OperatorFailed: { path: string; attempt: number; error: OperatorError; startedAt?: string; endedAt?: string };
  OperatorSkipped: { path: string; by?: Actor; output?: Json; reason?: string };
  OperatorNotTaken: { path: string };
  OperatorCancelled: { path: string; attempt: number; reason: string };
  OperatorRetryScheduled: { path: string; attempt: number; error?: OperatorError; dueAt: string; newKey?: boolean };
  OperatorOutcomeUnknown: { path: string; attempt: number; reason: string; recovery: Recovery; startedAt?: string };

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
  TaskUpdated: { taskId: string; by: Actor; draft?: Json; claimedBy?: string | null };
  TaskReminded: { taskId: string; path: string; kind: 'remind' | 'escalate' };
  TaskAnswered: { taskId: string; path: string; answer: Json; by: Actor };
  MessageReceived: { messageId: string; name: string; key?: string; path?: string; payload: Json };
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
  traceparent?: string;
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

export type OperatorClass = 'inline' | 'effect' | 'waiting';
export type Recovery = 'rerun' | 'fail' | 'ask' | 'verify';
export type IncidentAction = 'rerun' | 'skip' | 'fail';
export type TimerKind = 'delay' | 'retry' | 'repeat' | 'timeout' | 'deadline' | 'remind' | 'warn' | 'processTimeout';

/** What a waiting operator waits for; parked with it, resumed with it, never triggered twice. */
export type WaitsFor =
  | { kind: 'timer'; dueAt: string }
  | { kind: 'task'; taskId: string; dueAt?: string | null }
  | { kind: 'child'; child: string }
  | { kind: 'message'; name: string; key?: string; keepMs?: number; dueAt?: string | null }
  | { kind: 'topic'; topic: string; key?: string; dueAt?: string | null }
  | { kind: 'command'; commandId: string; agent?: Json }
  | { kind: 'job'; queue: string; jobId: string }
  | { kind: 'callback'; callbackId: string }
  | { kind: 'lock'; name: string; limit: number }
  | { kind: 'window'; name: string };
