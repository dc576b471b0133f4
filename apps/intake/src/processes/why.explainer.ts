import type { ProcessStatusName, Why } from '@baton/contracts';
import type { EventLog, ExecutorRegistry, ExecutorRow } from '@baton/event-log';
import type { OperatorState, ProcessState } from '@baton/process';
import type { FoldedProcess } from './process.reader.js';
import { waitText } from './wait.text.js';

interface Reasons {
  summary: string;
  because: string[];
}

/** Why a process is not moving: one sentence, and the facts that it rests on (design 6). */
export class WhyExplainer {
  constructor(
    private readonly log: Pick<EventLog, 'heads'>,
    private readonly executors: Pick<ExecutorRegistry, 'list'>,
    private readonly clock: { now(): number },
  ) {}

  async explain({ view, state }: FoldedProcess): Promise<Why> {
    const reasons = ofItself(state) ?? (await this.#ofTheCluster(state));
    return { ...reasons, status: view.status as ProcessStatusName };
  }

  async #ofTheCluster(state: ProcessState): Promise<Reasons> {
    if (!state.scheduled) return this.#notAdmitted(state);
    const [heads, executors] = await Promise.all([this.log.heads([state.id]), this.executors.list()]);
    const owner = heads.get(state.id)?.owner ?? state.owner;
    if (owner !== null) return driven(state, owner, executors);
    const waits = waitsOf(state);
    const runnableAt = heads.get(state.id)?.runnableAt ?? null;
    const isDue = runnableAt !== null && Date.parse(runnableAt) <= this.clock.now();
    if (waits.length > 0 && !isDue) return { summary: `It waits ${waits[0]}.`, because: waits.map(sentence) };
    return unclaimed(executors, waits);
  }

  #notAdmitted(state: ProcessState): Reasons {
    const because: string[] = [`Its priority is ${state.priority} of 0 to 9.`];
    if (state.startAt !== null && Date.parse(state.startAt) > this.clock.now()) {
      return { summary: `It starts at ${state.startAt}.`, because: ['Its request says when to start.', ...because] };
    }
    if (state.concurrency) {
      const { key, limit, onLimit } = state.concurrency;
      because.unshift(`Of the key "${key}" ${limit} may run at once; on the limit: ${onLimit}.`);
      return { summary: `It waits for a place among those with the concurrency key "${key}".`, because };
    }
    because.unshift(
      'The scheduler has not admitted it yet: it is not running, is busy, or admission.maxRunning is reached.',
    );
    return { summary: 'It waits to be admitted by the scheduler.', because };
  }
}

/** What the process's own log says, whoever drives it. */
function ofItself(state: ProcessState): Reasons | null {
  if (state.end !== null) return ended(state);
  const incidents = [...state.incidents.values()];
  const first = incidents[0];
  if (first) {
    const place = first.path === null ? 'the process as a whole' : `the operator ${first.path}`;
    const because = incidents.map(
      (one) => `Incident ${one.id} (${one.kind}): ${one.reason} It may be resolved with ${one.actions.join(', ')}.`,
    );
    return { summary: `It waits for a person to resolve an incident of ${place}: ${first.reason}`, because };
  }
  if (!state.paused) return null;
  return {
    summary: 'It is paused until somebody resumes it.',
    because: ['baton resume, or POST …/resume, lets it go on.'],
  };
}

function ended(state: ProcessState): Reasons {
  const at = state.times.endedAt ? ` at ${state.times.endedAt}` : '';
  if (state.end === 'completed') return { summary: `It completed${at}.`, because: ['There is nothing left to do.'] };
  const because: string[] = [];
  if (state.error) {
    because.push(`${state.failedPath ? `${state.failedPath}: ` : ''}${state.error.message} (${state.error.code})`);
  }
  if (state.cancel)
    because.push(`${state.cancel.by.id} cancelled it${state.cancel.reason ? `: ${state.cancel.reason}` : ''}.`);
  if (state.compensated.length > 0) because.push(`Undone: ${state.compensated.join(', ')}.`);
  if (state.notUndone.length > 0) because.push(`Not undone: ${state.notUndone.join(', ')}.`);
  return { summary: `It ${state.end === 'failed' ? 'failed' : 'was cancelled'}${at}.`, because };
}

function driven(state: ProcessState, owner: string, executors: readonly ExecutorRow[]): Reasons {
  const executor = executors.find((one) => one.id === owner);
  const running = [...state.operators.values()].filter((operator) => operator.status === 'running');
  const because = [...running.map(runningText), ...waitsOf(state).map(sentence)];
  if (executor?.status === 'alive' || executor?.status === 'draining') {
    because.push(`Executor ${owner} on ${executor.host} drives it; its last heartbeat was at ${executor.heartbeatAt}.`);
    const what = running.map((operator) => operator.path).join(', ');
    return { summary: what ? `It is moving: ${what} runs.` : 'It is being driven now.', because };
  }
  const known = executor ? `is ${executor.status} (last heartbeat ${executor.heartbeatAt})` : 'is not known';
  because.unshift(`Executor ${owner}, which owns it, ${known}.`);
  const others = executors.filter((one) => one.status === 'alive').length;
  because.push(others > 0 ? `${others} other executors are alive.` : 'No executor is alive: start one.');
  return { summary: 'Its executor is gone; another takes it over as soon as that is certain.', because };
}

function unclaimed(executors: readonly ExecutorRow[], waits: readonly string[]): Reasons {
  const alive = executors.filter((one) => one.status === 'alive');
  if (alive.length === 0) {
    const because = ['It is ready to be driven.', 'No executor is alive: start one.', ...waits.map(sentence)];
    return { summary: 'No executor is alive to drive it.', because };
  }
  const free = alive.reduce((sum, one) => sum + Math.max(0, one.capacity - one.processes), 0);
  const because = [
    'It is ready to be driven.',
    `${alive.length} executors are alive, with room for ${free} more processes.`,
    ...waits.map(sentence),
  ];
  const summary = free > 0 ? 'It is about to be claimed by an executor.' : 'Every executor is full; it waits for room.';
  return { summary, because };
}

function waitsOf(state: ProcessState): string[] {
  return [...state.operators.values()].flatMap((operator) => {
    const text = waitText(operator);
    return text === null ? [] : [text];
  });
}

function runningText(operator: OperatorState): string {
  const since = operator.startedAt ? ` since ${operator.startedAt}` : '';
  return `${operator.path} (${operator.type}) runs${since}, attempt ${operator.attempt}.`;
}

function sentence(wait: string): string {
  return `It waits ${wait}.`;
}
