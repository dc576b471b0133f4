import { itemPath } from '../state/operator-path.js';
import { hasEnded, type OperatorState } from '../state/process-state.js';
import { beginAgain, enter } from './begin.decide.js';
import { endUnit } from './cancel.decide.js';
import { keyOf, loopIsOver, newLoop, pump } from './foreach.decide.js';
import { bodyPrefix, groupIsOver } from './group.decide.js';
import { fail, finishNotBegun, isLoop, outcomeUnknown, recover, settle } from './lifecycle.decide.js';
import { consider, count, unitIn } from './links.decide.js';
import { newScopeRun, type ScopeRun, type Unit, unitOf } from './plan.js';
import type { Step } from './step.js';
import { timeError } from './timers.decide.js';
import { resumeWaiting, spawnAgain } from './wait.decide.js';

/** Takes a scope up from what the log says: links are counted, what is open is resumed, what may begin begins. */
export function loadScope(step: Step, run: ScopeRun): void {
  run.scope.operators.forEach((op, index) => {
    const operator = step.state.operators.get(run.prefix + op.name);
    if (operator === undefined) return;
    if (hasEnded(operator.status)) {
      count(step, run, index, operator, false);
      if (operator.status === 'failed' && run.links.handled[index] === 0 && run.failure === null) {
        const error = operator.error ?? { code: 'failed', message: 'It failed.' };
        run.failure = { path: operator.cause ?? operator.path, error };
      }
      return;
    }
    if (!isOpen(operator)) return;
    const unit = unitIn(step, run, index);
    enter(unit);
    step.todo({ do: 'resume', unit });
  });
}

/** The second half, once it is known whether anything may begin. */
export function continueScope(step: Step, run: ScopeRun): void {
  if (run.owner !== null && run.failure !== null) run.stopping = true;
  run.scope.operators.forEach((_, index) => {
    consider(step, run, index);
  });
  if (run.owner !== null) groupIsOver(step, run.owner, run);
}

/** Reset operators are pending again: their links decide. One that a person skipped is not. */
const isOpen = (operator: OperatorState): boolean =>
  operator.status !== 'pending' || (operator.resolution !== undefined && operator.resolution.action !== 'rerun');

/** Takes up one open operator: after a load, or after news from outside. */
export function resume(step: Step, unit: Unit): void {
  const operator = step.state.operators.get(unit.path);
  if (operator === undefined || unit.settled || (hasEnded(operator.status) && unit.kind !== 'verify')) return;
  step.timers(unit, operator.timers);
  if (operator.resolution !== undefined && resolve(step, unit, operator)) return;
  switch (operator.status) {
    case 'running':
      if (isLoop(unit)) loadLoop(step, unit);
      else if (unit.op.scope !== undefined) loadGroup(step, unit);
      else {
        step.plan.effects.add(unit);
        step.plan.foreign.add(unit);
      }
      break;
    case 'waiting':
      step.plan.waiting.add(unit);
      if (operator.admitted && operator.waitsFor === undefined) step.todo({ do: 'begin', unit });
      if (step.plan.fresh) spawnAgain(step, unit);
      resumeWaiting(step, unit);
      break;
    case 'retrying':
      step.plan.waiting.add(unit);
      if (operator.timers?.retry === undefined && operator.timers?.repeat === undefined)
        step.todo({ do: 'begin', unit });
      break;
    case 'unknown':
      step.plan.waiting.add(unit);
      resumeUnknown(step, unit, operator);
      break;
    default:
      step.todo({ do: 'begin', unit });
  }
  if (unit.settled || unit.ending !== null) return;
  if (operator.fired?.deadline === true) endUnit(step, unit, 'its deadline passed', timeError('deadline', ''));
  else if (operator.fired?.timeout === true) endUnit(step, unit, 'its timeout passed', timeError('timeout', ''));
}

/** What a person decided about its incident. True: nothing more is to be done here. */
function resolve(step: Step, unit: Unit, operator: OperatorState): boolean {
  const resolution = operator.resolution;
  if (resolution === undefined) return false;
  const { action, by, output, reason } = resolution;
  if (action === 'rerun') {
    if (operator.status !== 'unknown') return false;
    step.plan.waiting.add(unit);
    step.todo({ do: 'begin', unit });
    return true;
  }
  if (action === 'skip') {
    step.emit({
      type: 'OperatorSkipped',
      data: {
        path: unit.path,
        by,
        ...(output === undefined ? {} : { output }),
        ...(reason === undefined ? {} : { reason }),
        ...step.heldRows(unit),
      },
    });
    settle(step, unit);
    return true;
  }
  const message = reason === undefined ? `${by.id} says that it failed.` : `${by.id} says that it failed: ${reason}`;
  fail(step, unit, { code: 'incident', message }, { retryable: false });
  return true;
}

function resumeUnknown(step: Step, unit: Unit, operator: OperatorState): void {
  const verify = unit.op.verify;
  const verification = step.state.operators.get(`${unit.path}/verify`);
  if (verify !== undefined && verification !== undefined && !hasEnded(verification.status)) {
    const verifier = unitOf(step.plan, verification.path, verify, 'verify', unit, 0);
    verifier.begun = true;
    step.todo({ do: 'resume', unit: verifier });
    return;
  }
  if (operator.incident === undefined) recover(step, unit);
}

function loadGroup(step: Step, unit: Unit): void {
  const scope = unit.op.scope;
  if (scope === undefined) return;
  const run = newScopeRun(scope, bodyPrefix(unit, step.operator(unit).iteration), unit);
  unit.body = run;
  loadScope(step, run);
  continueScope(step, run);
}

function loadLoop(step: Step, unit: Unit): void {
  const operator = step.operator(unit);
  const loop = newLoop(unit, operator.items?.length ?? 0);
  unit.loop = loop;
  for (let index = 0; index < loop.count; index++) {
    const item = step.state.operators.get(itemPath(unit.path, keyOf(operator, index)));
    if (item === undefined) continue;
    if (hasEnded(item.status)) {
      loop.ended++;
      if (item.status === 'failed') loop.failed++;
    } else if (isOpen(item)) {
      const part = unitOf(step.plan, item.path, unit.op, 'item', loop, index);
      enter(part);
      loop.active.add(part);
      step.todo({ do: 'resume', unit: part });
    }
  }
  if (loop.failed >= loop.threshold) loop.stopping = true;
  pump(step, loop);
  loopIsOver(step, unit, loop);
}

/**
 * Effects that the log says are running, and that this executor did not begin since it took the process up
 * (design 2, rule b).
 */
export function examineForeign(step: Step): void {
  const { context, plan } = step;
  for (const unit of [...plan.foreign]) {
    const operator = step.operator(unit);
    const { executor, attempt } = operator;
    if (executor === context.executor) {
      if (context.isRunning(unit.path, attempt)) {
        plan.foreign.delete(unit);
        if (unit.ending !== null) step.decision.abort.push({ path: unit.path, attempt, reason: unit.ending.reason });
      } else if (context.hasBegun?.(unit.path, attempt) === true) {
        outcomeUnknown(step, unit, 'its executor no longer knows its outcome');
      } else if (unit.ending !== null) {
        finishNotBegun(step, unit);
      } else if (!step.restrained) {
        plan.foreign.delete(unit);
        beginAgain(step, unit);
      }
      continue;
    }
    if (executor === null || unit.op.lateBeginIsHarmless || context.isOver(executor)) {
      outcomeUnknown(step, unit, executor === null ? 'its executor gave it back' : `its executor ${executor} was lost`);
    } else if (!step.decision.heldBy.includes(executor)) {
      step.decision.heldBy.push(executor);
    }
  }
}
