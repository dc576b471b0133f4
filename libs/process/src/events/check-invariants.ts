import type { ProcessEvent, RecordedEvent } from './process-event.types.js';

/** What holds in every stream, whatever died meanwhile. Numbers are cited by tests. */
export interface BrokenInvariant {
  invariant:
    | 'V1 gapless'
    | 'V2 requested first and once'
    | 'V3 completed once'
    | 'V4 started before it ends'
    | 'V5 an attempt once'
    | 'V6 waiting started once'
    | 'V7 nothing after the end'
    | 'V8 only the owner drives'
    | 'V9 undone after done'
    | 'V10 finally once'
    | 'V11 nothing begins after it ended';
  sequence: number;
  message: string;
}

interface Followed {
  attempt: number;
  started: boolean;
  ended: boolean;
  completed: boolean;
  waitingOpen: boolean;
}

const ends = new Set(['ProcessCompleted', 'ProcessFailed', 'ProcessCancelled']);

/** The invariants that a stream breaks; none for a sound one. Works on events as they are recorded, or as decided. */
export function checkInvariants(events: readonly (ProcessEvent | RecordedEvent)[]): BrokenInvariant[] {
  const broken: BrokenInvariant[] = [];
  const followed = new Map<string, Followed>();
  let owner: string | null = null;
  let ended = false;
  let requested = false;
  let finallyStarted = false;
  events.forEach((event, index) => {
    const sequence = 'sequence' in event ? event.sequence : index + 1;
    const report = (invariant: BrokenInvariant['invariant'], message: string) => {
      broken.push({ invariant, sequence, message: `${event.type}: ${message}` });
    };
    const of = (path: string): Followed => {
      let operator = followed.get(path);
      if (operator === undefined) {
        operator = { attempt: 0, started: false, ended: false, completed: false, waitingOpen: false };
        followed.set(path, operator);
      }
      return operator;
    };
    if (sequence !== index + 1) report('V1 gapless', `expected sequence ${index + 1}, but it is ${sequence}`);
    if (event.type === 'ProcessRequested') {
      if (requested || index !== 0) report('V2 requested first and once', 'it stands elsewhere than at the beginning');
      requested = true;
    } else if (!requested) report('V2 requested first and once', 'it stands before the request');
    if (ended && event.type !== 'ProcessRetried') report('V7 nothing after the end', 'the process had ended');
    switch (event.type) {
      case 'ProcessStarted':
      case 'ProcessClaimed':
        if (owner !== null) report('V8 only the owner drives', `claimed while ${owner} owned it`);
        owner = event.data.executor;
        break;
      case 'ProcessTakenOver':
        if (owner !== event.data.from)
          report('V8 only the owner drives', `taken from ${event.data.from}, owned by ${owner}`);
        owner = event.data.executor;
        break;
      case 'ProcessParked':
        owner = null;
        break;
      case 'ProcessReleased':
        if (owner !== event.data.executor) report('V8 only the owner drives', `released by ${event.data.executor}`);
        owner = null;
        break;
      case 'ProcessRetried':
        if (!ended) report('V7 nothing after the end', 'reopened though it had not ended');
        ended = false;
        finallyStarted = false;
        for (const [path, operator] of followed) {
          if (!operator.completed || path.startsWith('finally/')) followed.set(path, reopened(operator));
        }
        break;
      case 'OperatorStarted': {
        const { path, attempt, executor, waitsFor } = event.data;
        const operator = of(path);
        if (executor !== owner) report('V8 only the owner drives', `${path} started by ${executor}, owned by ${owner}`);
        if (operator.ended && !path.endsWith('/verify')) report('V11 nothing begins after it ended', path);
        if (attempt <= operator.attempt) report('V5 an attempt once', `${path} attempt ${attempt} again`);
        if (operator.waitingOpen) report('V6 waiting started once', `${path} waited already`);
        // A later attempt of its operator has a verification of its own, under the same path.
        if (path.endsWith('/verify')) operator.completed = false;
        operator.attempt = attempt;
        operator.started = true;
        operator.ended = false;
        operator.waitingOpen = waitsFor !== undefined;
        break;
      }
      case 'OperatorCompleted': {
        const { path, attempt } = event.data;
        const operator = of(path);
        if (operator.completed) report('V3 completed once', path);
        if (operator.started && attempt !== operator.attempt) {
          report('V4 started before it ends', `${path} attempt ${attempt}, but ${operator.attempt} was started`);
        }
        if (path.endsWith('/compensate')) {
          const undone = followed.get(path.slice(0, -'/compensate'.length));
          if (undone?.started !== true && undone?.completed !== true) report('V9 undone after done', path);
        }
        operator.completed = true;
        operator.ended = true;
        operator.waitingOpen = false;
        break;
      }
      case 'OperatorFailed':
      case 'OperatorCancelled':
      case 'OperatorSkipped':
      case 'OperatorNotTaken': {
        const operator = of(event.data.path);
        if (operator.completed) report('V3 completed once', `${event.data.path} had completed`);
        operator.ended = true;
        operator.waitingOpen = false;
        break;
      }
      case 'OperatorRetryScheduled': {
        const { path, items } = event.data;
        const operator = of(path);
        if (operator.completed) report('V3 completed once', `${path} had completed`);
        operator.waitingOpen = false;
        for (const [inner, state] of followed) {
          if (!inner.startsWith(path) || inner === path) continue;
          if (items === 'all' || !state.completed) followed.set(inner, reopened(state));
        }
        break;
      }
      case 'OperatorRepeatScheduled':
        of(event.data.path).waitingOpen = false;
        break;
      case 'OperatorOutcomeUnknown':
        if (!of(event.data.path).started) report('V4 started before it ends', `${event.data.path} was never started`);
        of(event.data.path).waitingOpen = false;
        break;
      case 'IncidentResolved': {
        const { path, action } = event.data;
        if (path === undefined || action === 'fail') break;
        for (const [other, state] of followed) {
          if (!state.completed) followed.set(other, reopened(state));
        }
        break;
      }
      case 'FinallyStarted':
        if (finallyStarted) report('V10 finally once', 'again');
        finallyStarted = true;
        break;
      default:
    }
    if (ends.has(event.type)) {
      ended = true;
      owner = null;
    }
  });
  return broken;
}

const reopened = (operator: Followed): Followed => ({ ...operator, ended: false, completed: false });
