import type { EventMetadata, ProcessEvent } from '../events/process-event.types.js';
import type { Json } from '../json.types.js';
import { evolveOperator, operatorOf } from './evolve-operator.js';
import type { OperatorState, ProcessState } from './process-state.js';
import { reopen, reopenCancelled } from './reopen.js';
import { sizeOf } from './size.js';

/** An event, and what its record adds to it where that is known. */
type Fact = ProcessEvent & { stream?: string; recordedAt?: string; metadata?: EventMetadata };

/** Folds one fact into the state, in place, and returns it. Total: it never refuses what the log holds. */
export function evolve(state: ProcessState, event: Fact): ProcessState {
  fold(state, event);
  if (state.plan !== null) tellPlan(state, event);
  return state;
}

/** What decide kept from its last call must learn of events that did not come from decide itself. */
function tellPlan(state: ProcessState, event: ProcessEvent): void {
  switch (event.type) {
    case 'TaskAnswered':
    case 'JobDone':
    case 'CommandDone':
    case 'ChildEnded':
    case 'OperatorAdmitted':
      state.plan?.news.push(event.data.path);
      return;
    case 'MessageReceived':
      state.plan?.news.push(event.data.path ?? '');
      return;
    case 'TaskUpdated':
    case 'ProcessPaused':
    case 'ProcessResumed':
    case 'ProcessParked':
      return;
    default:
      state.plan = null;
  }
}

/** Without telling the plan: what decide uses for its own events. */
export function fold(state: ProcessState, event: Fact): void {
  state.version++;
  if (event.recordedAt !== undefined) {
    if (state.id === '') state.id = event.stream ?? '';
    noteTime(state, event.type, event.recordedAt);
  }
  switch (event.type) {
    case 'ProcessRequested': {
      const data = event.data;
      state.requested = true;
      state.definition = data.definition;
      state.title = data.title ?? data.definition.name;
      state.environment = data.environment;
      state.inputs = data.inputs;
      state.priority = data.priority;
      state.startAt = data.startAt ?? null;
      state.labels = data.labels;
      state.requester = data.requester;
      state.concurrency = data.concurrency ?? null;
      state.parent = data.parent ?? null;
      state.trigger = data.trigger ?? null;
      state.timeoutAt = data.timeoutAt ?? null;
      if (event.metadata !== undefined)
        state.trace = { parent: event.metadata.traceparent ?? null, state: event.metadata.tracestate ?? null };
      state.size += sizeOf(data.inputs) + sizeOf(data.trigger);
      return;
    }
    case 'ProcessScheduled':
      state.scheduled = true;
      return;
    case 'ProcessStarted':
    case 'ProcessClaimed':
      if (event.type === 'ProcessStarted') {
        state.started = true;
        state.scheduled = true;
      }
      state.owner = event.data.executor;
      state.parked = null;
      state.claims++;
      return;
    case 'ProcessTakenOver':
      state.owner = event.data.executor;
      state.parked = null;
      state.claims++;
      state.takeovers++;
      state.alone = event.data.alone ?? false;
      state.deaths = event.data.deaths ?? state.deaths + 1;
      for (const operator of state.operators.values()) {
        if (operator.executor === event.data.from && operator.status === 'running') operator.deaths++;
      }
      return;
    case 'ProcessParked':
      state.owner = null;
      state.parked = event.data;
      resetDeaths(state);
      return;
    case 'ProcessReleased':
      state.owner = null;
      resetDeaths(state);
      // Nothing runs there any more, by its own word: no lease has to be waited for.
      for (const operator of state.operators.values()) {
        if (operator.executor === event.data.executor) operator.executor = null;
      }
      return;
    case 'ProcessPaused':
      state.paused = true;
      return;
    case 'ProcessResumed':
      state.paused = false;
      return;
    case 'ProcessCancelRequested':
      state.cancel = event.data;
      state.paused = false;
      return;
    case 'ProcessTimedOut':
      state.timedOut = true;
      return;
    case 'ProcessRetried':
      state.end = null;
      state.finalStatus = null;
      state.cancel = null;
      state.timedOut = false;
      state.timeoutAt = null;
      state.givenUp = null;
      state.compensation = null;
      state.scheduled = event.data.queue === undefined;
      state.warned = false;
      delete state.error;
      delete state.failedPath;
      state.failedPaths = [];
      state.notUndone = [];
      for (const path of [...state.operators.keys()]) {
        if (path.startsWith('finally/')) forgetFinally(state, path);
      }
      reopenCancelled(state, '');
      for (const path of event.data.paths) reopen(state, path, '', true);
      return;
    case 'ProcessCompleted':
      end(state, 'completed');
      state.outputs = event.data.outputs;
      return;
    case 'ProcessFailed':
      end(state, 'failed');
      state.error = event.data.error;
      if (event.data.path !== undefined) state.failedPath = event.data.path;
      state.failedPaths = event.data.failed ?? (event.data.path === undefined ? [] : [event.data.path]);
      state.compensated = [...event.data.compensated];
      state.notUndone = [...event.data.notUndone];
      return;
    case 'ProcessCancelled':
      end(state, 'cancelled');
      state.compensated = [...event.data.compensated];
      state.notUndone = [...event.data.notUndone];
      return;
    case 'MessageReceived':
      state.messageIds.add(event.data.messageId);
      state.messages.push(event.data);
      state.size += sizeOf(event.data.payload);
      return;
    case 'ChildEnded': {
      const data = event.data;
      state.children.set(data.child, data.status);
      const operator = operatorOf(state, data.path);
      if (operator.attempt !== data.attempt || operator.status !== 'waiting') return;
      operator.result =
        data.status === 'completed'
          ? { status: 'completed', ...(data.outputs === undefined ? {} : { output: data.outputs }) }
          : {
              status: 'failed',
              error: data.error ?? {
                code: `child-${data.status}`,
                message: `The child ${data.child} was ${data.status}.`,
              },
            };
      return;
    }
    case 'IncidentRaised': {
      const data = event.data;
      state.incidents.set(data.incidentId, {
        id: data.incidentId,
        kind: data.kind,
        path: data.path ?? null,
        reason: data.reason,
        actions: data.actions,
      });
      if (data.path !== undefined) operatorOf(state, data.path).incident = data.incidentId;
      return;
    }
    case 'IncidentResolved':
      resolveIncident(state, event.data);
      return;
    case 'CompensationStarted':
      state.compensation = event.data;
      return;
    case 'FinallyStarted':
      state.finalStatus = event.data.status;
      return;
    default:
      evolveOperator(state, event);
  }
}

function noteTime(state: ProcessState, type: ProcessEvent['type'], recordedAt: string): void {
  switch (type) {
    case 'ProcessRequested':
      state.times.requestedAt = recordedAt;
      return;
    case 'ProcessStarted':
      state.times.startedAt ??= recordedAt;
      return;
    case 'ProcessRetried':
      state.times.endedAt = null;
      state.times.reopenedAt = recordedAt;
      return;
    case 'ProcessCompleted':
    case 'ProcessFailed':
    case 'ProcessCancelled':
      state.times.endedAt = recordedAt;
      return;
    default:
  }
}

function resetDeaths(state: ProcessState): void {
  state.claims = 0;
  if (state.deaths === 0) return;
  state.deaths = 0;
  for (const operator of state.operators.values()) operator.deaths = 0;
}

function end(state: ProcessState, status: 'completed' | 'failed' | 'cancelled'): void {
  state.end = status;
  state.owner = null;
  state.parked = null;
  state.paused = false;
  for (const [id] of state.tasks) state.closedTasks.set(id, `the process ${status}`);
  state.tasks.clear();
  state.incidents.clear();
}

/** A reopened process runs its `finally` again at its next end; attempts count on. */
function forgetFinally(state: ProcessState, path: string): void {
  const operator = state.operators.get(path) as OperatorState;
  state.operators.set(path, {
    path,
    type: operator.type,
    class: operator.class,
    status: 'pending',
    attempt: operator.attempt,
    executor: null,
    round: operator.round + 1,
    iteration: 1,
    failures: 0,
    unknowns: 0,
    uncertain: false,
    deaths: 0,
    order: 0,
    admitted: false,
  });
}

function resolveIncident(
  state: ProcessState,
  data: {
    incidentId: string;
    path?: string;
    action: 'rerun' | 'skip' | 'fail';
    output?: Json;
    reason?: string;
    by: JsonActor;
  },
): void {
  const incident = state.incidents.get(data.incidentId);
  state.incidents.delete(data.incidentId);
  state.resolvedIncidents.set(data.incidentId, data.action);
  resetDeaths(state);
  const path = data.path ?? incident?.path ?? null;
  const operator = path === null ? undefined : state.operators.get(path);
  if (operator?.incident === data.incidentId) delete operator.incident;
  if (incident?.kind === 'failure-held' || path === null || operator === undefined) {
    if (data.action === 'fail') {
      state.givenUp = { path, by: data.by, ...(data.reason === undefined ? {} : { reason: data.reason }) };
      return;
    }
  }
  if (operator === undefined || path === null) return;
  const failed = operator.status === 'failed';
  if (failed && data.action === 'fail') {
    operator.resolution = data;
    return;
  }
  if (failed) {
    if (incident?.kind === 'failure-held') reopenCancelled(state, '');
    reopen(state, path, '', true, data.action === 'rerun');
  } else if (data.action === 'rerun') operator.round++;
  operator.resolution = data;
}
type JsonActor = { id: string; groups?: string[] };
