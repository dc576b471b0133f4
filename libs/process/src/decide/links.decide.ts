import type { CompiledLink } from '../compile/compiled.types.js';
import type { OperatorState } from '../state/process-state.js';
import { endUnit, stopScope } from './cancel.decide.js';
import { cancelled } from './lifecycle.decide.js';
import { type ScopeRun, type Unit, unitOf } from './plan.js';
import type { Step } from './step.js';

/** Whether a link holds once its source has ended. */
export function holds(link: CompiledLink, source: OperatorState): boolean {
  const status = source.status === 'compensated' ? 'completed' : source.status;
  switch (link.on) {
    case 'completed':
      return status === 'completed' || status === 'skipped';
    case 'outcome':
      return status === 'completed' && source.outcome === link.outcome;
    case 'failed':
      return status === 'failed';
    case 'skipped':
      return status === 'skipped';
    case 'any':
      return status === 'completed' || status === 'failed' || status === 'skipped' || status === 'cancelled';
  }
}

export const unitIn = (step: Step, run: ScopeRun, index: number): Unit => {
  const op = run.scope.operators[index];
  if (op === undefined)
    throw new Error(`Expected operator ${index} in ${run.prefix || 'the process'}, but there is none`);
  return unitOf(step.plan, run.prefix + op.name, op, 'operator', run, index);
};

/** An operator of a scope has ended: its links hold or cannot any more. */
export function followLinks(step: Step, run: ScopeRun, unit: Unit): void {
  const operator = step.operator(unit);
  const unhandled = operator.status === 'failed' && run.links.handled[unit.index] === 0;
  // Nothing follows from a failure that nobody handles, not even that something is not taken; `finally` goes on.
  if (unhandled && run.prefix !== 'finally/') run.stopping = true;
  count(step, run, unit.index, operator, true);
  if (unhandled && run.failure === null) {
    const path = operator.cause ?? unit.path;
    const error = operator.error ?? { code: 'failed', message: 'It failed.' };
    run.failure = { path, error };
    if (run.owner !== null) stopScope(step, run, `${path} failed`, step.definition.onFailure !== 'compensate');
  }
}

/** Without decisions of its own when `live` is false: building a plan from what the log already decided. */
export function count(step: Step, run: ScopeRun, source: number, operator: OperatorState, live: boolean): void {
  run.open--;
  run.decided[source] = 1;
  for (const { target, link } of run.links.outgoing[source] ?? []) {
    run.pending[target] = (run.pending[target] ?? 0) - 1;
    if (holds(link, operator)) run.held[target] = (run.held[target] ?? 0) + 1;
    if (live) consider(step, run, target);
  }
}

export function consider(step: Step, run: ScopeRun, target: number): void {
  const op = run.scope.operators[target];
  if (op === undefined || run.decided[target] === 1 || run.stopping) return;
  const pending = run.pending[target] ?? 0;
  const held = run.held[target] ?? 0;
  const links = run.links.incoming[target] ?? 0;
  const lost = links - pending - held;
  let verdict: 'wait' | 'run' | 'not-taken';
  if (op.join === 'any' && links > 0) verdict = held > 0 ? 'run' : pending === 0 ? 'not-taken' : 'wait';
  else if (op.join === 'settled' && links > 0) verdict = pending > 0 ? 'wait' : held > 0 ? 'run' : 'not-taken';
  else verdict = lost > 0 ? 'not-taken' : pending === 0 ? 'run' : 'wait';
  if (verdict === 'wait') return;
  run.decided[target] = 1;
  const unit = unitIn(step, run, target);
  if (verdict === 'not-taken') {
    step.emit({ type: 'OperatorNotTaken', data: { path: unit.path } });
    step.todo({ do: 'ended', unit });
    return;
  }
  step.todo({ do: 'begin', unit });
}

/** A race is won: the other runners end. Those that never began will not. */
export function cancelRest(step: Step, run: ScopeRun, winner: Unit): void {
  for (const link of winner.op.after) {
    const index = run.links.indexOf.get(link.from);
    if (index === undefined) continue;
    const unit = unitIn(step, run, index);
    const status = step.operator(unit).status;
    const reason = `${winner.path} no longer waits for it`;
    if (run.active.has(unit)) endUnit(step, unit, reason, null, true);
    else if (status === 'pending' && !unit.settled) {
      unit.settled = false;
      run.decided[index] = 1;
      unit.ending = { reason, error: null, race: true };
      cancelled(step, unit, reason);
    }
  }
}
