import type { OperatorError, ProcessEvent, ProcessEventData } from '../events/process-event.types.js';
import type { Json, JsonObject } from '../json.types.js';

/** All that decide may look at beside definition and state. */
export interface DecideContext {
  /** ms since 1970 by the database's clock. */
  now: number;
  /** The incarnation that drives. */
  executor: string;
  /** Whether that incarnation is proven over (design 2, rule b). Never asked about `executor`. */
  isOver(incarnation: string): boolean;
  /** Attempts that run in this executor right now, as `path#attempt`. */
  isRunning(path: string, attempt: number): boolean;
  /** SIGTERM: nothing new is begun; the process is released when nothing runs. */
  draining?: boolean;
  /**
   * Whether this executor has ever begun that attempt. An attempt that the log says is running here, that neither runs
   * nor has an outcome among those handed in, is begun when this is false or absent, and has an unknown outcome when true.
   */
  hasBegun?(path: string, attempt: number): boolean;
  /** Content of a large output that the driver has loaded (`outputsRead` of the definition). */
  artifact?(digest: string): Json | undefined;
}

/** How an effect ended, as its operator reports it. Refused before anything was sent, or answered with an error: failed. Nobody knows: unknown. */
export type EffectResult =
  | { status: 'completed'; output?: Json; outcome?: 'happened' | 'not-happened' }
  | { status: 'failed'; error: OperatorError; output?: Json }
  | { status: 'unknown'; reason: string }
  /** It never began (the lease had run out, or it was aborted before): the attempt is known not to have happened. */
  | { status: 'not-begun'; reason: string };

export interface EffectOutcome {
  path: string;
  attempt: number;
  result: EffectResult;
  startedAt: string;
  endedAt: string;
}

/** What the driver does for the process once `events` are committed. All of it is data; nothing is done by decide. */
export interface Decision {
  /** To be appended in one go; already folded into the state that was given. */
  events: ProcessEvent[];
  /** Effects to begin, after the commit, each exactly once. */
  begin: EffectToBegin[];
  /** Effects that run here and are to be aborted. Their outcome is still reported and waited for. */
  abort: { path: string; attempt: number; reason: string }[];
  /** Appends to other streams, idempotent by the child's derived id. */
  spawn: ChildToSpawn[];
  /** Commands to other streams (cancel a child). Idempotent; a scan repeats them. */
  tell: { stream: string; command: ProcessCommand }[];
  /** Earliest time (ms) at which decide wants to be called again while it is owned; null: none. */
  wakeAt: number | null;
  /** Running: effects run here. Held: waits for the proof that a lost incarnation is over. Parked, released and ended: the last event says so and the owner is gone. */
  disposition: 'running' | 'held' | 'parked' | 'released' | 'ended';
  /** Incarnations whose proof it waits for. */
  heldBy: string[];
}

export interface EffectToBegin {
  path: string;
  attempt: number;
  type: string;
  idempotencyKey: string;
  /** Evaluated, with SecretReference markers. */
  fields: Record<string, Json>;
  /** ms; the attempt's own timeout, from its begin. */
  timeout?: number;
  /** Paths of the output that are sealed before it is appended. */
  sensitive: readonly string[];
  lateBeginIsHarmless: boolean;
}

export interface ChildToSpawn {
  id: string; // derived from parent, path and attempt
  definition: string;
  version: number | 'published' | 'latest';
  parentPublishedAt?: string;
  inputs: JsonObject;
  request: Pick<ProcessEventData['ProcessRequested'], 'environment' | 'priority' | 'labels' | 'requester'> & {
    parent: NonNullable<ProcessEventData['ProcessRequested']['parent']>;
  };
}

/** A command from outside: load, decideCommand, append at that version, again on conflict. */
export type ProcessCommand =
  | { kind: 'schedule' }
  | { kind: 'cancel'; by: { id: string; groups?: string[] }; reason?: string }
  | { kind: 'pause'; by: { id: string; groups?: string[] }; reason?: string }
  | { kind: 'resume'; by: { id: string; groups?: string[] }; reason?: string }
  | { kind: 'retry'; by: { id: string; groups?: string[] }; reason?: string }
  | { kind: 'answerTask'; taskId: string; answer: Json; by: { id: string; groups?: string[] } }
  | {
      kind: 'updateTask';
      taskId: string;
      by: { id: string; groups?: string[] };
      draft?: Json;
      claim?: boolean;
      delegateTo?: string;
    }
  | {
      kind: 'resolveIncident';
      incidentId: string;
      action: 'rerun' | 'skip' | 'fail';
      output?: Json;
      reason?: string;
      by: { id: string; groups?: string[] };
    }
  | {
      kind: 'receiveMessage';
      messageId: string;
      name: string;
      key?: string;
      path?: string;
      payload: Json;
      record?: ProcessEventData['MessageReceived']['record'];
    }
  | {
      kind: 'endChild';
      child: string;
      path: string;
      attempt: number;
      status: 'completed' | 'failed' | 'cancelled';
      outputs?: Json;
      error?: OperatorError;
    }
  | { kind: 'finishJob'; path: string; attempt: number; result: EffectResult }
  | { kind: 'finishCommand'; path: string; attempt: number; result: EffectResult }
  | { kind: 'raiseIncident'; incidentKind: string; reason: string; path?: string };

/** A refusal is data with a reason: "Expected to …, but …". */
export type CommandDecision = { events: ProcessEvent[] } | { refused: Refusal };
export interface Refusal {
  /** already-done: the same command took effect before (idempotent success for messages and child ends). */
  code: 'ended' | 'not-open' | 'already-done' | 'not-allowed' | 'invalid' | 'conflict';
  reason: string;
  remedy?: string;
  errors?: { path: string; message: string }[];
}
