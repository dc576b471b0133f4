import type { OperatorError } from '../events/process-event.types.js';
import type { Json, JsonObject } from '../json.types.js';
import type { OperatorState, OperatorStatus, ProcessState } from './process-state.js';

export type ProcessStatus =
  | 'requested'
  | 'queued'
  | 'running'
  | 'waiting'
  | 'paused'
  | 'incident'
  | 'compensating'
  | 'completed'
  | 'failed'
  | 'cancelled';

export interface OperatorSummary {
  path: string;
  type: string;
  status: OperatorStatus;
  attempt: number;
  startedAt: string | null;
  endedAt: string | null;
  outcome?: string;
  output?: Json;
  error?: OperatorError;
}

/** What `GET /processes/{id}` shows of the state. */
export interface ProcessView {
  id: string;
  definition: string;
  version: number;
  title: string;
  status: ProcessStatus;
  environment: string | null;
  inputs: JsonObject;
  outputs: Json | null;
  error: OperatorError | null;
  failedPath: string | null;
  compensated: string[];
  notUndone: string[];
  priority: number;
  owner: string | null;
  requester: string;
  requestedAt: string | null;
  startedAt: string | null;
  endedAt: string | null;
  labels: Record<string, string>;
  parent: string | null;
  takeovers: number;
  operators: OperatorSummary[];
}

/** The word for a process (design 9). An incident is shown before anything else that it might be called. */
export function statusOf(state: ProcessState): ProcessStatus {
  if (state.end !== null) return state.end;
  if (state.incidents.size > 0) return 'incident';
  if (state.compensation !== null && state.finalStatus === null) return 'compensating';
  if (state.paused) return 'paused';
  if (!state.scheduled && state.started) return 'queued';
  if (!state.scheduled) return state.startAt !== null || state.concurrency !== null ? 'queued' : 'requested';
  if (!state.started) return 'queued';
  return state.owner === null && state.parked !== null ? 'waiting' : 'running';
}

export function viewOf(state: ProcessState): ProcessView {
  const operators: OperatorSummary[] = [];
  for (const operator of state.operators.values()) operators.push(summaryOf(operator));
  return {
    id: state.id,
    definition: state.definition?.name ?? '',
    version: state.definition?.version ?? 0,
    title: state.title,
    status: statusOf(state),
    environment: state.environment?.name ?? null,
    inputs: state.inputs,
    outputs: state.outputs ?? null,
    error: state.error ?? null,
    failedPath: state.failedPath ?? null,
    compensated: state.compensated,
    notUndone: state.notUndone,
    priority: state.priority,
    owner: state.owner,
    requester: state.requester.id,
    requestedAt: state.times.requestedAt,
    startedAt: state.times.startedAt,
    endedAt: state.times.endedAt,
    labels: state.labels,
    parent: state.parent?.id ?? null,
    takeovers: state.takeovers,
    operators,
  };
}

function summaryOf(operator: OperatorState): OperatorSummary {
  const { path, type, status, attempt, startedAt, endedAt, outcome, output, error } = operator;
  return {
    path,
    type,
    status,
    attempt,
    startedAt: startedAt ?? null,
    endedAt: endedAt ?? null,
    ...(outcome === undefined ? {} : { outcome }),
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
  };
}
