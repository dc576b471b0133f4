import { itemPath } from '../state/operator-path.js';
import { hasEnded, type OperatorState } from '../state/process-state.js';
import { beginAgain, enter } from './begin.decide.js';
import { endUnit } from './cancel.decide.js';
import { keyOf, loopIsOver, newLoop, pump } from './foreach.decide.js';
import { bodyPrefix, groupIsOver } from './group.decide.js';
import { fail, finishNotBegun, isLoop, neverBegan, outcomeUnknown, recover, settle } from './lifecycle.decide.js';
import { consider, count, unitIn } from './links.decide.js';
import { type Ending, newScopeRun, type ScopeRun, type Unit, unitOf } from './plan.js';
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
  if (run.owner !== null && run.failure !== null) {
    run.stopping = true;
    if (step.definition.onFailure === 'compensate') doomAll(run.active, `${run.failure.path} failed`);
  }
  loseRaces(step, run);
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
  const doom = unit.doom ?? timeIsUp(operator);
  unit.doom = null;
  if (doom !== null && unit.ending === null) {
    endLoaded(step, unit, operator, doom);
    return;
  }
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
}

export function doomAll(units: Iterable<Unit>, reason: string): void {
  for (const unit of units) unit.doom ??= { reason, error: null };
}

/** A race that was won before the load: the other runners are still to end. */
function loseRaces(step: Step, run: ScopeRun): void {
  for (const winner of run.scope.operators) {
    if (!winner.cancelRest || (step.state.operators.get(run.prefix + winner.name)?.attempt ?? 0) === 0) continue;
    for (const link of winner.after) {
      const index = run.links.indexOf.get(link.from);
      if (index === undefined) continue;
      const unit = unitIn(step, run, index);
      const reason = `${run.prefix}${winner.name} no longer waits for it`;
      if (run.active.has(unit)) unit.doom = { reason, error: null, race: true };
    }
  }
}

function timeIsUp(operator: OperatorState): Ending | null {
  const kind = operator.fired?.deadline === true ? 'deadline' : operator.fired?.timeout === true ? 'timeout' : null;
  return kind === null ? null : { reason: `its ${kind} passed`, error: timeError(kind, '') };
}

/** It was to end before this executor took the process up: nothing of it is tried again, its outcome is waited for. */
function endLoaded(step: Step, unit: Unit, operator: OperatorState, doom: Ending): void {
  const { status, result } = operator;
  if (status === 'running') {
    unit.ending = doom;
    if (isLoop(unit)) loadLoop(step, unit);
    else if (unit.op.scope !== undefined) loadGroup(step, unit);
    else {
      step.plan.effects.add(unit);
      step.plan.foreign.add(unit);
    }
    return;
  }
  if (status === 'waiting' && result !== undefined) {
    unit.ending = doom;
    resumeWaiting(step, unit);
    return;
  }
  if (status === 'waiting') step.plan.waiting.add(unit);
  if (status === 'waiting' && step.plan.fresh) spawnAgain(step, unit);
  const verification = step.state.operators.get(`${unit.path}/verify`);
  if (status === 'unknown' && verification?.status === 'running' && unit.op.verify !== undefined) {
    unit.ending = doom;
    const verifier = unitOf(step.plan, verification.path, unit.op.verify, 'verify', unit, 0);
    verifier.begun = true;
    verifier.doom = { reason: doom.reason, error: null };
    step.todo({ do: 'resume', unit: verifier });
    return;
  }
  endUnit(step, unit, doom.reason, doom.error, doom.race);
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
  if (verify !== undefined && verification !== undefined && verification.status !== 'pending') {
    // It ended, and what follows from that is not yet recorded: its answer still counts, it is not asked again.
    const over = hasEnded(verification.status);
    if (over && operator.incident !== undefined) return;
    const verifier = unitOf(step.plan, verification.path, verify, 'verify', unit, 0);
    verifier.begun = true;
    verifier.settled = false;
    step.todo({ do: over ? 'ended' : 'resume', unit: verifier });
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
  if (unit.ending !== null) {
    run.stopping = true;
    doomAll(run.active, unit.ending.reason);
  }
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
  if (unit.ending !== null) {
    loop.stopping = true;
    doomAll(loop.active, unit.ending.reason);
  }
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
      } else if (step.restrained) {
        neverBegan(step, unit, 'nothing may begin now');
      } else {
        plan.foreign.delete(unit);
        beginAgain(step, unit);
      }
      continue;
    }
    if (executor === null || unit.op.lateBeginIsHarmless || context.isOver(executor)) {
      const reason = executor === null ? 'its executor gave it back' : `its executor ${executor} was lost`;
      outcomeUnknown(step, unit, reason, undefined, true);
    } else if (!step.decision.heldBy.includes(executor)) {
      step.decision.heldBy.push(executor);
    }
  }
}
