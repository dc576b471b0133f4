import type { CommandDecision, ProcessCommand } from '../decide/decision.types.js';
import { incidentId } from '../decide/identity.js';
import type { ProcessState } from '../state/process-state.js';
import { endChild, finishElsewhere, receiveMessage } from './arrival.command.js';
import { refuse } from './refuse.js';
import { answerTask, updateTask } from './task.command.js';

/**
 * Whether a command from outside still fits, and what it then records. Needs no definition: forms, `needs`, `notBy`
 * and schemas stand in the state since they were assigned.
 */
export function decideCommand(state: ProcessState, command: ProcessCommand, now: number): CommandDecision {
  const decision = judge(state, command, now);
  const wakes = command.kind === 'receiveMessage' || command.kind === 'pause' || command.kind === 'resume';
  if ('refused' in decision || !wakes || state.scheduled || state.cancel !== null) return decision;
  // It has not been admitted yet: nobody is to drive it for that. It is taken up when its turn comes.
  return { events: [...decision.events, { type: 'ProcessParked', data: { waitsFor: ['admission'], dueAt: null } }] };
}

function judge(state: ProcessState, command: ProcessCommand, now: number): CommandDecision {
  if (!state.requested) return refuse('not-open', 'Expected a requested process, but this stream has none.');
  switch (command.kind) {
    case 'receiveMessage':
      return receiveMessage(state, command, now);
    case 'endChild':
      return endChild(state, command);
    case 'answerTask':
      return answerTask(state, command, now);
    case 'updateTask':
      return updateTask(state, command);
    case 'resolveIncident':
      return resolveIncident(state, command);
    case 'retry':
      return retry(state, command);
    default:
  }
  if (state.end !== null) return refuse('ended', `Expected an open process, but it is ${state.end}.`);
  switch (command.kind) {
    case 'schedule':
      if (state.cancel !== null) return refuse('conflict', 'Expected a queued process, but it is being cancelled.');
      if (state.scheduled) return refuse('already-done', 'It is scheduled already.');
      return { events: [{ type: 'ProcessScheduled', data: {} }] };
    case 'cancel': {
      const ending = endingOf(state);
      if (state.cancel !== null) return refuse('already-done', 'It is being cancelled already.');
      if (ending !== undefined)
        return refuse('conflict', `Expected a process that can still be cancelled, but ${ending}.`);
      return { events: [{ type: 'ProcessCancelRequested', data: withReason(command) }] };
    }
    case 'pause': {
      const ending = endingOf(state);
      if (state.paused) return refuse('already-done', 'It is paused already.');
      if (state.cancel !== null)
        return refuse('conflict', 'Expected a process that goes on, but it is being cancelled.');
      if (ending !== undefined) return refuse('conflict', `Expected a process that goes on, but ${ending}.`);
      return { events: [{ type: 'ProcessPaused', data: withReason(command) }] };
    }
    case 'resume':
      if (!state.paused) return refuse('not-open', 'Expected a paused process, but it is not paused.');
      return { events: [{ type: 'ProcessResumed', data: withReason(command) }] };
    case 'finishJob':
    case 'finishCommand':
      return finishElsewhere(state, command);
    case 'raiseIncident':
      return raise(state, command);
  }
}

function endingOf(state: ProcessState): string | undefined {
  if (state.finalStatus !== null) return `its end (${state.finalStatus}) is decided and its finally runs`;
  if (state.compensation !== null) return 'what it did is being undone';
  return undefined;
}

const withReason = (command: { by: { id: string; groups?: string[] }; reason?: string }) => ({
  by: command.by,
  ...(command.reason === undefined ? {} : { reason: command.reason }),
});

/** Reopens it as queued. Only what can go on as if nothing had happened: nothing undone, nobody told of the end. */
function retry(state: ProcessState, command: Extract<ProcessCommand, { kind: 'retry' }>): CommandDecision {
  if (state.end === null) return refuse('not-open', 'Expected a failed process, but it has not ended.');
  if (state.end !== 'failed') return refuse('ended', `Expected a failed process, but it is ${state.end}.`);
  if (state.parent !== null) {
    return refuse('conflict', `Expected a process without a parent, but ${state.parent.id} was told of its end.`, {
      remedy: 'Retry the parent.',
    });
  }
  if (state.compensated.length > 0) {
    return refuse('conflict', `Expected nothing to be undone, but ${state.compensated.slice(0, 5).join(', ')} was.`, {
      remedy: 'Request a new process.',
    });
  }
  for (const { path, attempt } of state.operators.values()) {
    if (!path.endsWith('/compensate') || attempt === 0) continue;
    return refuse('conflict', `Expected nothing to be undone, but it was attempted: ${path}.`, {
      remedy: 'Request a new process.',
    });
  }
  const paths = state.failedPaths.filter((path) => state.operators.get(path)?.status === 'failed');
  const { priority, concurrency } = state;
  const key = concurrency === null ? {} : { key: concurrency.key, limit: concurrency.limit };
  return { events: [{ type: 'ProcessRetried', data: { ...withReason(command), paths, queue: { priority, ...key } } }] };
}

function resolveIncident(
  state: ProcessState,
  command: Extract<ProcessCommand, { kind: 'resolveIncident' }>,
): CommandDecision {
  const { incidentId: id, action, output, reason, by } = command;
  const incident = state.incidents.get(id);
  if (incident === undefined) {
    const before = state.resolvedIncidents.get(id);
    if (before === action) return refuse('already-done', `The incident was resolved before, by ${before}.`);
    if (before !== undefined) return refuse('conflict', `Expected an open incident, but it was resolved by ${before}.`);
    if (state.end !== null) return refuse('ended', `Expected an open incident, but the process is ${state.end}.`);
    return refuse('not-open', 'Expected an open incident, but this process has none with that id.');
  }
  if (!incident.actions.includes(action)) {
    return refuse('invalid', `Expected ${incident.actions.join(' or ')}, but the action is ${action}.`);
  }
  return {
    events: [
      {
        type: 'IncidentResolved',
        data: {
          incidentId: id,
          action,
          by,
          ...(incident.path === null ? {} : { path: incident.path }),
          ...(output === undefined || action !== 'skip' ? {} : { output }),
          ...(reason === undefined ? {} : { reason }),
        },
      },
    ],
  };
}

/** Instead of a claim: the process waits, owned by nobody, until a person resolves it. */
function raise(state: ProcessState, command: Extract<ProcessCommand, { kind: 'raiseIncident' }>): CommandDecision {
  const { incidentKind, reason, path } = command;
  for (const incident of state.incidents.values()) {
    if (incident.kind === incidentKind && incident.path === (path ?? null)) {
      return refuse('already-done', `There is such an incident already: ${incident.id}.`);
    }
  }
  const raised = incidentId(state.id, state.version, path ?? '');
  return {
    events: [
      {
        type: 'IncidentRaised',
        data: { incidentId: raised, kind: incidentKind, reason, actions: ['rerun', 'fail'] },
      },
      { type: 'ProcessParked', data: { waitsFor: ['incident'], dueAt: null } },
    ],
  };
}
