import type { OperatorError } from '../events/process-event.types.js';
import { hasEnded } from '../state/process-state.js';
import { cancelled, fail, outcomeUnknown } from './lifecycle.decide.js';
import type { LoopRun, ScopeRun, Unit } from './plan.js';
import type { Step } from './step.js';

/** Nothing of this scope begins any more; what runs is cancelled, unless it is to be drained. */
export function stopScope(step: Step, run: ScopeRun, reason: string, drain: boolean): void {
  run.stopping = true;
  if (drain) return;
  for (const unit of [...run.active]) endUnit(step, unit, reason, null);
}

export function stopLoop(step: Step, loop: LoopRun, reason: string): void {
  loop.stopping = true;
  for (const unit of [...loop.active]) endUnit(step, unit, reason, null);
}

/**
 * Ends what is open, whatever it is. Effects are aborted, and their outcome is waited for; children are told, and their
 * end is waited for; waiting ones end at once. With an error it fails with that, else it is cancelled.
 */
export function endUnit(step: Step, unit: Unit, reason: string, error: OperatorError | null, race = false): void {
  const operator = step.state.operators.get(unit.path);
  if (operator !== undefined && hasEnded(operator.status)) return;
  // A cancellation is stronger than a timeout under way, never the other way round.
  if (unit.ending !== null && (unit.ending.error === null || error !== null)) return;
  unit.ending = race ? { reason, error, race } : { reason, error };
  if (unit.loop !== null) {
    stopLoop(step, unit.loop, reason);
    if (unit.loop.active.size === 0) finish(step, unit);
    return;
  }
  if (unit.body !== null) {
    stopScope(step, unit.body, reason, false);
    if (unit.body.active.size === 0) finish(step, unit);
    return;
  }
  const status = operator?.status ?? 'pending';
  if (status === 'running' && step.plan.effects.has(unit)) {
    abort(step, unit);
    return;
  }
  const waitsFor = operator?.waitsFor;
  if (status === 'waiting' && waitsFor?.kind === 'child' && operator?.result === undefined) {
    if (waitsFor.onParentEnd === 'leave' && error === null) {
      finish(step, unit);
      return;
    }
    step.decision.tell.push({
      stream: waitsFor.child,
      command: { kind: 'cancel', by: { id: 'baton' }, reason: `${step.state.id} no longer needs it: ${reason}` },
    });
    return;
  }
  if (status === 'waiting' && (waitsFor?.kind === 'job' || waitsFor?.kind === 'command')) {
    if (operator?.result === undefined)
      outcomeUnknown(step, unit, `it was under way elsewhere when it was ended: ${reason}`);
    return;
  }
  if (status === 'unknown') {
    const verify = step.plan.units.get(`${unit.path}/verify`);
    if (verify?.begun === true && !verify.settled) {
      endUnit(step, verify, reason, null);
      if (step.plan.effects.has(verify)) return;
    }
    if (operator?.incident !== undefined) {
      step.emit({
        type: 'IncidentResolved',
        data: { incidentId: operator.incident, path: unit.path, action: 'fail', reason, by: { id: 'baton' } },
      });
    }
  }
  finish(step, unit);
}

/** Only once: the outcome is reported anyway. */
export function abort(step: Step, unit: Unit): void {
  const { attempt } = step.operator(unit);
  if (unit.ending === null || unit.aborted === attempt || step.plan.foreign.has(unit)) return;
  unit.aborted = attempt;
  step.decision.abort.push({ path: unit.path, attempt, reason: unit.ending.reason });
}

/** Nothing of it is open any more. */
export function finish(step: Step, unit: Unit): void {
  const { ending } = unit;
  if (ending === null) return;
  if (ending.error === null) cancelled(step, unit, ending.reason);
  else fail(step, unit, ending.error);
}
