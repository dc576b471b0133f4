import type { WaitsFor } from '../events/process-event.types.js';
import type { Json } from '../json.types.js';
import { hasEnded, type OperatorState, type ProcessState } from './process-state.js';
import { statusOf } from './view.js';

export interface Explanation {
  summary: string;
  because: string[];
}

const maxReasons = 50;

/** Why a process is where it is: what it waits for, for whom, until when. In sentences. */
export function why(state: ProcessState, now: number): Explanation {
  const status = statusOf(state);
  if (state.end !== null) return { summary: `The process is ${state.end}.`, because: whyEnded(state) };
  const because: string[] = [];
  if (!state.scheduled && state.cancel === null) {
    if (state.startAt !== null && Date.parse(state.startAt) > now) because.push(`It is to start at ${state.startAt}.`);
    if (state.concurrency !== null) {
      const { key, limit } = state.concurrency;
      because.push(`At most ${limit} with the concurrency key ${key} run at a time.`);
    }
    if (because.length === 0) because.push('The scheduler has not admitted it yet.');
    return { summary: `The process is ${status}: it has not begun.`, because };
  }
  if (state.paused) because.push('A person paused it; nothing new begins until it is resumed.');
  if (state.cancel !== null) because.push(`${state.cancel.by.id} cancelled it${reasonText(state.cancel.reason)}.`);
  for (const incident of state.incidents.values()) {
    const place = incident.path === null ? 'the process' : incident.path;
    because.push(`An incident at ${place} waits for a person (${incident.actions.join(', ')}): ${incident.reason}`);
  }
  if (state.compensation !== null && state.finalStatus === null) {
    because.push(`What it did is being undone, because it ${causeText(state.compensation.cause)}.`);
  }
  if (state.finalStatus !== null) because.push(`Its finally runs; then it is ${state.finalStatus}.`);
  let more = 0;
  for (const operator of state.operators.values()) {
    if (hasEnded(operator.status) || operator.status === 'pending' || operator.items !== undefined) continue;
    if (operator.type === 'group' && operator.status === 'running') continue;
    if (because.length < maxReasons) because.push(...sentence(operator, now));
    else more++;
  }
  if (more > 0) because.push(`And ${more} operators more.`);
  if (because.length === 0) {
    because.push(
      state.owner === null
        ? 'No executor has it; one takes it up as soon as it has room.'
        : `The executor ${state.owner} drives it.`,
    );
  }
  return { summary: `The process is ${status}.`, because };
}

function whyEnded(state: ProcessState): string[] {
  const because: string[] = [];
  if (state.error !== undefined) {
    const place = state.failedPath === undefined ? 'It' : state.failedPath;
    because.push(`${place} failed: ${state.error.message} (${state.error.code})`);
  }
  if (state.cancel !== null) because.push(`${state.cancel.by.id} cancelled it${reasonText(state.cancel.reason)}.`);
  if (state.compensated.length > 0) because.push(`Undone: ${list(state.compensated)}.`);
  if (state.notUndone.length > 0) because.push(`May have happened and was not undone: ${list(state.notUndone)}.`);
  return because;
}

const list = (names: string[]): string =>
  names.length > 20 ? `${names.slice(0, 20).join(', ')} and ${names.length - 20} more` : names.join(', ');

const reasonText = (reason: string | undefined): string => (reason === undefined ? '' : `: ${reason}`);

function causeText(cause: 'failed' | 'cancelled' | 'timeout'): string {
  if (cause === 'timeout') return 'ran longer than its timeout';
  return cause === 'failed' ? 'failed' : 'was cancelled';
}

function sentence(operator: OperatorState, now: number): string[] {
  const { path, status, waitsFor, attempt } = operator;
  if (operator.incident !== undefined) return [];
  if (status === 'running') {
    const where = operator.executor === null ? 'no executor' : `executor ${operator.executor}`;
    return [`${path} runs (attempt ${attempt}) at ${where}${sinceText(operator.startedAt)}.`];
  }
  if (status === 'retrying') {
    const due = operator.timers?.retry ?? operator.timers?.repeat;
    if (operator.timers?.repeat !== undefined) {
      return [`${path} begins its iteration ${operator.iteration}${dueText(due, now)}.`];
    }
    const error = operator.error === undefined ? '' : ` after ${operator.error.code}: ${operator.error.message}`;
    return [`${path} is tried again${dueText(due, now)}${error}`.replace(/\.?$/, '.')];
  }
  if (status === 'unknown')
    return [`Whether attempt ${attempt} of ${path} happened is not known; it is being found out.`];
  const until = deadlineText(operator, now);
  switch (waitsFor?.kind) {
    case 'timer':
      return [`${path} waits${dueText(waitsFor.dueAt, now)}.`];
    case 'task':
      return [`${path} waits for an answer of ${peopleOf(operator)}${until}.`];
    case 'child':
      return [`${path} waits for the end of its child ${waitsFor.child}${until}.`];
    case 'message': {
      const key = waitsFor.key === undefined ? '' : ` with the key ${waitsFor.key}`;
      return [`${path} waits for the message ${waitsFor.name}${key}${until}.`];
    }
    case 'topic':
      return [`${path} waits for a record of the topic ${waitsFor.topic}${recordText(waitsFor)}${until}.`];
    case 'job':
      return [`${path} waits for a worker of the queue ${waitsFor.queue}${until}.`];
    case 'command':
      return [`${path} waits for an agent${until}.`];
    case 'callback':
      return [`${path} waits to be called back${until}.`];
    case 'lock':
      return [`${path} waits for the lock ${waitsFor.name}, held by at most ${waitsFor.limit}${until}.`];
    case 'window':
      return [`${path} waits for the window ${waitsFor.name} to open${until}.`];
    default:
      return [`${path} is ${status}.`];
  }
}

function recordText({ key, match }: Extract<WaitsFor, { kind: 'topic' }>): string {
  const withKey = key === undefined ? '' : ` with the key ${key}`;
  return match === undefined ? withKey : `${withKey} for which ${match.expression} holds`;
}

function peopleOf(operator: OperatorState): string {
  const { task } = operator;
  if (task === undefined) return 'anybody';
  if (task.delegatedTo !== null) return task.delegatedTo;
  const names = [
    ...namesOf(task.assign, 'users'),
    ...namesOf(task.assign, 'roles').map((role) => `somebody of ${role}`),
  ];
  const not = namesOf(task.assign, 'notBy');
  const who = names.length === 0 ? 'anybody' : names.join(' or ');
  const but = not.length === 0 ? '' : `, but not ${not.join(' or ')}`;
  const missing = task.needs - task.answers.length;
  const claimed = task.claimedBy === null ? '' : ` (${task.claimedBy} works on it)`;
  return `${missing > 1 ? `${missing} people: ` : ''}${who}${but}${claimed}`;
}

function namesOf(assign: Json, part: string): string[] {
  if (typeof assign !== 'object' || assign === null || Array.isArray(assign)) return [];
  const names = assign[part];
  return Array.isArray(names) ? names.map(String) : [];
}

const sinceText = (at: string | undefined): string => (at === undefined ? '' : `, since ${at}`);

function deadlineText(operator: OperatorState, now: number): string {
  const due = operator.timers?.deadline ?? operator.timers?.timeout;
  return due === undefined ? '' : dueText(due, now);
}

function dueText(due: string | undefined, now: number): string {
  if (due === undefined) return ' at once';
  return Date.parse(due) <= now
    ? ` until ${due}, which has passed: an executor is about to take it up`
    : ` until ${due}`;
}
