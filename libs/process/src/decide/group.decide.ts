import { finish } from './cancel.decide.js';
import { complete, fail } from './lifecycle.decide.js';
import { consider } from './links.decide.js';
import { newScopeRun, type ScopeRun, type Unit } from './plan.js';
import { startFacts } from './start-facts.js';
import { attempting, type Step } from './step.js';

/** Inside a repeated group the path carries the iteration. */
export function bodyPrefix(unit: Unit, iteration: number): string {
  return unit.op.repeat === undefined ? `${unit.path}/` : `${unit.path}#${iteration}/`;
}

/** A group records its start, though it is inline: its timers and iterations need one. */
export function startGroup(step: Step, unit: Unit): void {
  const scope = unit.op.scope;
  if (scope === undefined) {
    fail(
      step,
      unit,
      { code: 'unsupported', message: `The group ${unit.path} has no operators.` },
      { retryable: false },
    );
    return;
  }
  const facts = startFacts(step, unit);
  step.emit({ type: 'OperatorStarted', data: facts });
  step.timers(unit, facts.timers);
  const operator = step.operator(unit);
  const run = newScopeRun(scope, bodyPrefix(unit, operator.iteration), unit);
  unit.body = run;
  // What a retried group had completed stays completed.
  const again = scope.operators.some((op) => step.state.operators.has(run.prefix + op.name));
  if (again) step.todo({ do: 'resume', unit });
  else startScope(step, run);
}

export function startScope(step: Step, run: ScopeRun): void {
  run.scope.operators.forEach((op, index) => {
    if (op.after.length === 0) consider(step, run, index);
  });
  if (run.open === 0 && run.owner !== null) groupIsOver(step, run.owner, run);
}

/** Called when an operator of the group ended: over when nothing is open, or nothing runs and nothing may begin. */
export function groupIsOver(step: Step, unit: Unit, run: ScopeRun): void {
  if (run.active.size > 0 || (run.open > 0 && !run.stopping)) return;
  if (unit.body !== run) return;
  if (unit.ending !== null) {
    unit.body = null;
    finish(step, unit);
    return;
  }
  if (run.failure !== null) {
    const { path, error } = run.failure;
    unit.body = null;
    fail(step, unit, error, { cause: path });
    return;
  }
  unit.body = null;
  const { outputs } = unit.op;
  if (outputs === undefined) {
    complete(step, unit, undefined);
    return;
  }
  const first = run.scope.operators[0]?.name ?? '';
  // Seen from inside the group: its operators shadow outer names.
  const output = attempting(() => step.evaluate(outputs, run.prefix + first));
  if ('error' in output) fail(step, unit, output.error);
  else complete(step, unit, output.value);
}
