import type { ProcessStatusName, Why } from '@baton/contracts';
import type { EventLog, ExecutorRegistry, ExecutorRow } from '@baton/event-log';
import { type ProcessState, why } from '@baton/process';
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
    const ofTheLog = why(state, this.clock.now()).because;
    const status = view.status as ProcessStatusName;
    const own = summaryOfItself(state);
    if (own !== null) return { summary: own, because: ofTheLog, status };
    const { summary, because } = await this.#ofTheCluster(state);
    return { summary, because: [...ofTheLog, ...because], status };
  }

  async #ofTheCluster(state: ProcessState): Promise<Reasons> {
    if (!state.scheduled) return this.#notAdmitted(state);
    const [heads, executors] = await Promise.all([this.log.heads([state.id]), this.executors.list()]);
    const owner = heads.get(state.id)?.owner ?? state.owner;
    if (owner !== null) return driven(state, owner, executors);
    const waits = waitsOf(state);
    const runnableAt = heads.get(state.id)?.runnableAt ?? null;
    const isDue = runnableAt !== null && Date.parse(runnableAt) <= this.clock.now();
    if (waits.length > 0 && !isDue) return { summary: `It waits ${waits[0]}.`, because: [] };
    return unclaimed(executors);
  }

  #notAdmitted(state: ProcessState): Reasons {
    const because = [`Its priority is ${state.priority} of 0 to 9.`];
    if (state.startAt !== null && Date.parse(state.startAt) > this.clock.now()) {
      return { summary: `It starts at ${state.startAt}.`, because };
    }
    if (state.concurrency) {
      const { key, onLimit } = state.concurrency;
      because.push(`On the limit of the key: ${onLimit}.`);
      return { summary: `It waits for a place among those with the concurrency key "${key}".`, because };
    }
    because.push('The scheduler is not running, is busy, or admission.maxRunning is reached.');
    return { summary: 'It waits to be admitted by the scheduler.', because };
  }
}

/** When the process's own log says it all, whoever drives it. */
function summaryOfItself(state: ProcessState): string | null {
  if (state.end !== null) {
    const at = state.times.endedAt ? ` at ${state.times.endedAt}` : '';
    return `It ${state.end === 'cancelled' ? 'was cancelled' : state.end}${at}.`;
  }
  const [incident] = state.incidents.values();
  if (incident) {
    const place = incident.path === null ? 'the process as a whole' : `the operator ${incident.path}`;
    return `It waits for a person to resolve an incident of ${place}: ${incident.reason}`;
  }
  return state.paused ? 'It is paused until somebody resumes it.' : null;
}

function driven(state: ProcessState, owner: string, executors: readonly ExecutorRow[]): Reasons {
  const executor = executors.find((one) => one.id === owner);
  const running = [...state.operators.values()].filter((operator) => operator.status === 'running');
  const because: string[] = [];
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

function unclaimed(executors: readonly ExecutorRow[]): Reasons {
  const alive = executors.filter((one) => one.status === 'alive');
  const ready = 'It is ready to be driven.';
  if (alive.length === 0) {
    return { summary: 'No executor is alive to drive it.', because: [ready, 'No executor is alive: start one.'] };
  }
  const free = alive.reduce((sum, one) => sum + Math.max(0, one.capacity - one.processes), 0);
  const because = [ready, `${alive.length} executors are alive, with room for ${free} more processes.`];
  const summary = free > 0 ? 'It is about to be claimed by an executor.' : 'Every executor is full; it waits for room.';
  return { summary, because };
}

function waitsOf(state: ProcessState): string[] {
  return [...state.operators.values()].flatMap((operator) => {
    const text = waitText(operator);
    return text === null ? [] : [text];
  });
}
