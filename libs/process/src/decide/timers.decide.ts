import type { CompiledDefinition } from '../compile/compiled.types.js';
import type { TimerKind } from '../events/process-event.types.js';
import type { ProcessState } from '../state/process-state.js';
import { endUnit } from './cancel.decide.js';
import { isoTime } from './iso-time.js';
import type { Plan } from './plan.js';
import type { Step } from './step.js';
import { remindTask } from './task.decide.js';
import type { QueuedTimer } from './timer-queue.js';
import { resumeWaiting } from './wait.decide.js';

/** The process's own timers have the empty path. */
export function queueProcessTimers(plan: Plan, definition: CompiledDefinition, state: ProcessState): void {
  const from = runsSince(state);
  const timeoutAt = processTimeoutAt(definition, state);
  if (timeoutAt !== null && !state.timedOut) plan.timers.add('', 'processTimeout', timeoutAt);
  if (definition.warnAfter !== undefined && from !== null && !state.warned) {
    plan.timers.add('', 'warn', isoTime(Date.parse(from) + definition.warnAfter));
  }
}

/** A process that a person retried has its whole time again. */
const runsSince = ({ times }: ProcessState): string | null => times.reopenedAt ?? times.startedAt ?? times.requestedAt;

function processTimeoutAt(definition: CompiledDefinition, state: ProcessState): string | null {
  if (state.timeoutAt !== null) return state.timeoutAt;
  const from = runsSince(state);
  return definition.timeout === undefined || from === null ? null : isoTime(Date.parse(from) + definition.timeout);
}

/** Fires what is due. Paused or draining, nothing fires: it is due later than the resumption. True: something fired. */
export function fireTimers(step: Step): boolean {
  const { plan, context } = step;
  if (step.restrained) return false;
  let fired = false;
  for (let first = nextTimer(step); first !== undefined && first.due <= context.now; first = nextTimer(step)) {
    plan.timers.take();
    fire(step, first);
    fired = true;
    if (plan.work.length > 0) return true;
  }
  return fired;
}

/** The first that still stands: timers of what has ended since are passed over. */
export function nextTimer(step: Step): QueuedTimer | undefined {
  const { timers } = step.plan;
  for (let first = timers.first; first !== undefined; first = timers.first) {
    if (stands(step.state, first)) return first;
    timers.take();
  }
  return undefined;
}

function stands(state: ProcessState, timer: QueuedTimer): boolean {
  if (timer.path !== '') return state.operators.get(timer.path)?.timers?.[timer.kind] === timer.dueAt;
  if (timer.kind === 'warn') return !state.warned;
  return !state.timedOut && state.cancel === null && state.compensation === null && state.finalStatus === null;
}

function fire(step: Step, timer: QueuedTimer): void {
  const { path, kind, dueAt } = timer;
  if (path === '') {
    if (kind === 'processTimeout') step.emit({ type: 'ProcessTimedOut', data: { timeoutAt: dueAt } });
    else step.emit({ type: 'TimerFired', data: { path, timer: kind, dueAt } });
    return;
  }
  const unit = step.plan.units.get(path);
  if (unit === undefined) return;
  if (kind === 'remind' || kind === 'escalate') {
    remindTask(step, unit, kind);
    return;
  }
  step.emit({ type: 'TimerFired', data: { path, timer: kind, dueAt } });
  switch (kind) {
    case 'delay':
      resumeWaiting(step, unit);
      return;
    case 'retry':
    case 'repeat':
      step.todo({ do: 'begin', unit });
      return;
    case 'timeout':
    case 'deadline':
      endUnit(step, unit, `its ${kind} passed`, timeError(kind, dueAt));
      return;
    default:
  }
}

export const timeError = (kind: TimerKind & ('timeout' | 'deadline'), dueAt: string) => ({
  code: kind,
  message: dueAt === '' ? `Its ${kind} passed.` : `Its ${kind} passed at ${dueAt}.`,
});
