import type { ProcessEventData, Timers, WaitsFor } from '../events/process-event.types.js';
import { isLoop } from './lifecycle.decide.js';
import type { Unit } from './plan.js';
import type { Step } from './step.js';

/** What every start says. Timers of the whole operator begin with its first attempt, those of an attempt with each. */
export function startFacts(
  step: Step,
  unit: Unit,
  waitsFor?: WaitsFor,
  own?: Timers,
): ProcessEventData['OperatorStarted'] {
  const operator = step.operator(unit);
  const { op } = unit;
  const timers: Timers = { ...own };
  const first = operator.startedAt === undefined;
  // A deadline holds for the whole loop, a timeout for each item. An effect's own timeout is its executor's to keep.
  if (unit.kind !== 'item') {
    if (first && op.deadline !== undefined) timers.deadline = step.after(op.deadline);
    if (first && op.warnAfter !== undefined) timers.warn = step.after(op.warnAfter);
  }
  if (op.class !== 'effect' && op.timeout !== undefined && !isLoop(unit)) timers.timeout = step.after(op.timeout);
  return {
    path: unit.path,
    type: op.type,
    class: op.class,
    attempt: operator.attempt + 1,
    executor: step.context.executor,
    startedAt: step.nowIso,
    ...(waitsFor === undefined ? {} : { waitsFor }),
    ...(operator.round > 1 ? { round: operator.round } : {}),
    ...(operator.iteration > 1 ? { iteration: operator.iteration } : {}),
    ...(Object.keys(timers).length === 0 ? {} : { timers }),
  };
}
