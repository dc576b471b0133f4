import type { EffectResult } from '../decide/decision.types.js';
import type {
  Actor,
  IncidentAction,
  OperatorClass,
  OperatorError,
  ProcessEventData,
  Recovery,
  Timers,
  WaitsFor,
} from '../events/process-event.types.js';
import type { Json, JsonObject } from '../json.types.js';

export type OperatorStatus =
  | 'pending'
  | 'running'
  | 'waiting'
  | 'retrying'
  | 'completed'
  | 'failed'
  | 'skipped'
  | 'not-taken'
  | 'cancelled'
  | 'compensated'
  | 'unknown';

export interface TaskAnswer {
  answer: Json;
  by: Actor;
  answeredAt?: string;
}

export interface TaskState {
  id: string;
  assign: Json;
  form: Json;
  title?: string;
  instructions?: string;
  needs: number;
  dueAt: string | null;
  claimedBy: string | null;
  delegatedTo: string | null;
  draft?: Json;
  answers: TaskAnswer[];
}

/** What a person decided about an incident; taken up by the next decide. */
export interface Resolution {
  action: IncidentAction;
  output?: Json;
  reason?: string;
  by: Actor;
}

/** One path of the process: an operator, an item of a loop, an undo, a verification. */
export interface OperatorState {
  path: string;
  type: string;
  class: OperatorClass;
  status: OperatorStatus;
  /** Counts on over iterations, rounds, retries and takeovers. */
  attempt: number;
  /** The incarnation under which the attempt runs; null: over, or given back. */
  executor: string | null;
  /** Of the idempotency key; a new iteration begins with 1. */
  round: number;
  iteration: number;
  /** Known failures in this iteration and round: what `retry` counts. */
  failures: number;
  /** Attempts with an unknown outcome, one after the other. */
  unknowns: number;
  /** Some attempt of it may have had an effect that nobody knows of. */
  uncertain: boolean;
  /** Executors that died with it running, since the process's last progress. */
  deaths: number;
  /** Position among all ends: compensation goes through them backwards. 0: not ended. */
  order: number;
  /** It lost a race (`cancelRest`): not open again when the process is. */
  beaten?: boolean;
  /** The lock or window it waited for is there. */
  admitted: boolean;
  startedAt?: string;
  endedAt?: string;
  output?: Json;
  outcome?: string;
  error?: OperatorError;
  cause?: string;
  previous?: Json;
  waitsFor?: WaitsFor;
  timers?: Timers;
  /** Timers that fired and whose consequence is not yet recorded. */
  fired?: Partial<Record<keyof Timers, true>>;
  items?: Json[];
  keys?: string[];
  task?: TaskState;
  unknown?: { reason: string; recovery: Recovery };
  incident?: string;
  resolution?: Resolution;
  /** Came from outside: a job's, a command's or a child's end. Taken up by the next decide. */
  result?: EffectResult;
}

export interface BufferedMessage {
  messageId: string;
  name: string;
  key?: string;
  path?: string;
  payload: Json;
  receivedAt?: string;
}

export interface IncidentState {
  id: string;
  kind: string;
  path: string | null;
  reason: string;
  actions: IncidentAction[];
}

export type EndStatus = 'completed' | 'failed' | 'cancelled';

/** What decide derived from definition and state, and keeps from call to call. Never part of the state's value. */
export interface DerivedPlan {
  /** Paths that events from outside touched since the last decide. */
  news: string[];
}

/** The fold of a process's stream. Plain data; `evolve` is its only writer. */
export interface ProcessState {
  id: string;
  version: number;
  definition: { name: string; version: number; digest: string } | null;
  title: string;
  environment: { name: string; variables: JsonObject } | null;
  inputs: JsonObject;
  priority: number;
  startAt: string | null;
  labels: Record<string, string>;
  requester: { id: string; groups: string[] };
  concurrency: NonNullable<ProcessEventData['ProcessRequested']['concurrency']> | null;
  parent: NonNullable<ProcessEventData['ProcessRequested']['parent']> | null;
  trigger: Json;
  timeoutAt: string | null;
  /** Trace context of who asked for it (W3C). */
  trace: { parent: string | null; state: string | null };

  requested: boolean;
  scheduled: boolean;
  started: boolean;
  owner: string | null;
  paused: boolean;
  parked: { waitsFor: string[]; dueAt: string | null } | null;
  cancel: { by: Actor; reason?: string } | null;
  timedOut: boolean;
  warned: boolean;
  /** A person resolved `hold` (or an incident of the whole process) with "fail". */
  givenUp: { path: string | null; by: Actor; reason?: string } | null;
  compensation: { cause: 'failed' | 'cancelled' | 'timeout'; paths: string[] } | null;
  finalStatus: EndStatus | null;
  end: EndStatus | null;
  outputs?: Json;
  error?: OperatorError;
  failedPath?: string;
  /** Every operator whose failure nobody handled: what a retry of the process opens again. */
  failedPaths: string[];
  compensated: string[];
  notUndone: string[];

  operators: Map<string, OperatorState>;
  incidents: Map<string, IncidentState>;
  /** Open tasks: id to path. */
  tasks: Map<string, string>;
  /** Children that ended: id to how. */
  children: Map<string, EndStatus>;
  messages: BufferedMessage[];
  messageIds: Set<string>;
  /** Tasks that are over: id to why. */
  closedTasks: Map<string, string>;
  resolvedIncidents: Map<string, IncidentAction>;

  /** Ends so far, of all operators: gives `order`. */
  ends: number;
  /** Claims, and deaths of executors, since the last progress. */
  claims: number;
  deaths: number;
  alone: boolean;
  takeovers: number;
  /** Approximate bytes of what is kept. */
  size: number;
  /** As the log recorded them; for people, nothing is decided by them but the process's own timers. */
  times: { requestedAt: string | null; startedAt: string | null; endedAt: string | null; reopenedAt: string | null };

  plan: DerivedPlan | null;
}

export function initialState(id = ''): ProcessState {
  return {
    id,
    version: 0,
    definition: null,
    title: '',
    environment: null,
    inputs: {},
    priority: 5,
    startAt: null,
    labels: {},
    requester: { id: '', groups: [] },
    concurrency: null,
    parent: null,
    trigger: null,
    timeoutAt: null,
    trace: { parent: null, state: null },
    requested: false,
    scheduled: false,
    started: false,
    owner: null,
    paused: false,
    parked: null,
    cancel: null,
    timedOut: false,
    warned: false,
    givenUp: null,
    compensation: null,
    finalStatus: null,
    end: null,
    failedPaths: [],
    compensated: [],
    notUndone: [],
    operators: new Map(),
    incidents: new Map(),
    tasks: new Map(),
    children: new Map(),
    messages: [],
    messageIds: new Set(),
    closedTasks: new Map(),
    resolvedIncidents: new Map(),
    ends: 0,
    claims: 0,
    deaths: 0,
    alone: false,
    takeovers: 0,
    size: 0,
    times: { requestedAt: null, startedAt: null, endedAt: null, reopenedAt: null },
    plan: null,
  };
}

export function newOperator(path: string, type = '', operatorClass: OperatorClass = 'inline'): OperatorState {
  return {
    path,
    type,
    class: operatorClass,
    status: 'pending',
    attempt: 0,
    executor: null,
    round: 1,
    iteration: 1,
    failures: 0,
    unknowns: 0,
    uncertain: false,
    deaths: 0,
    order: 0,
    admitted: false,
  };
}

export const hasEnded = (status: OperatorStatus): boolean =>
  status === 'completed' ||
  status === 'failed' ||
  status === 'skipped' ||
  status === 'not-taken' ||
  status === 'cancelled' ||
  status === 'compensated';
