import { hasEnded } from '../state/process-state.js';
import type { EffectToBegin } from './decision.types.js';
import { evaluateFields } from './evaluate-fields.js';
import { operatorFacts } from './expression-scope.js';
import { startLoop } from './foreach.decide.js';
import { startGroup } from './group.decide.js';
import { complete, fail, isLoop, settle } from './lifecycle.decide.js';
import { cancelRest } from './links.decide.js';
import type { Unit } from './plan.js';
import { startFacts } from './start-facts.js';
import { attempting, maxBegins, type Step } from './step.js';
import { startWaiting } from './wait.decide.js';

/** The links hold, an item's turn has come, a pause is over: begins it, or leaves it for when something may begin again. */
export function begin(step: Step, unit: Unit): void {
  const operator = step.operator(unit);
  if ((hasEnded(operator.status) && unit.kind !== 'verify') || unit.ending !== null) return;
  if (!unit.begun && isStopped(unit)) return;
  // An item was counted when the loop let it go.
  const counted = unit.kind === 'item' && !unit.begun;
  if (step.restrained || (!counted && step.begins >= maxBegins)) {
    step.plan.deferred.push(unit);
    return;
  }
  if (!unit.begun) {
    enter(unit);
    if (unit.container?.what === 'scope' && unit.op.cancelRest) cancelRest(step, unit.container, unit);
    if (unit.op.when !== undefined && unit.kind === 'operator' && operator.attempt === 0) {
      const condition = unit.op.when;
      const holds = attempting(() => step.evaluate(condition, unit.path));
      if ('error' in holds) {
        fail(step, unit, holds.error);
        return;
      }
      if (holds.value !== true) {
        step.emit({ type: 'OperatorSkipped', data: { path: unit.path, reason: `${condition.source} does not hold` } });
        settle(step, unit);
        return;
      }
    }
  }
  step.plan.waiting.delete(unit);
  if (!operator.admitted && unit.kind === 'operator' && mustQueue(step, unit)) return;
  if (!counted) step.begins++;
  if (isLoop(unit)) startLoop(step, unit);
  else startBody(step, unit);
}

export function enter(unit: Unit): void {
  unit.begun = true;
  if (unit.container?.what === 'scope') {
    unit.container.active.add(unit);
    unit.container.decided[unit.index] = 1;
  }
}

function isStopped(unit: Unit): boolean {
  const { container } = unit;
  return container !== null && container.what !== 'unit' && container.stopping && unit.kind === 'operator';
}

/** A lock or a window: its turn comes by `OperatorAdmitted`. */
function mustQueue(step: Step, unit: Unit): boolean {
  const { lock, window } = unit.op;
  if (lock === undefined && window === undefined) return false;
  if (step.operator(unit).status === 'waiting') {
    step.plan.waiting.add(unit);
    return true;
  }
  if (lock !== undefined) {
    const name = attempting(() => step.evaluate(lock.name, unit.path));
    if ('error' in name) {
      fail(step, unit, name.error);
      return true;
    }
    const waitsFor = { kind: 'lock' as const, name: String(name.value), limit: lock.limit };
    step.emit({ type: 'OperatorWaiting', data: { path: unit.path, waitsFor } });
  } else if (window !== undefined) {
    step.emit({ type: 'OperatorWaiting', data: { path: unit.path, waitsFor: { kind: 'window', name: window } } });
  }
  step.plan.waiting.add(unit);
  return true;
}

function startBody(step: Step, unit: Unit): void {
  if (unit.op.type === 'group' || unit.op.scope !== undefined) {
    startGroup(step, unit);
    return;
  }
  switch (unit.op.class) {
    case 'inline':
      runInline(step, unit);
      return;
    case 'waiting':
      startWaiting(step, unit);
      return;
    case 'effect':
      startEffect(step, unit);
      return;
  }
}

/** Decided from the state alone: only its outcome is in the log. */
function runInline(step: Step, unit: Unit): void {
  const fields = evaluateFields(step, unit);
  if ('error' in fields) {
    fail(step, unit, fields.error);
    return;
  }
  const { value } = fields;
  switch (unit.op.type) {
    case 'set':
      complete(step, unit, value['value'] ?? null);
      return;
    case 'decision':
      complete(step, unit, undefined);
      return;
    case 'fail': {
      const message = String(value['message'] ?? 'The definition says so.');
      fail(step, unit, { code: String(value['code'] ?? 'failed'), message });
      return;
    }
    default:
      complete(step, unit, value);
      return;
  }
}

/** The start is committed before the effect begins; what it is given is never in the log. */
function startEffect(step: Step, unit: Unit): void {
  const fields = evaluateFields(step, unit);
  if ('error' in fields) {
    fail(step, unit, fields.error);
    return;
  }
  const facts = startFacts(step, unit);
  step.emit({ type: 'OperatorStarted', data: facts });
  step.timers(unit, facts.timers);
  step.plan.effects.add(unit);
  hand(step, unit, fields.value);
}

function hand(step: Step, unit: Unit, fields: EffectToBegin['fields']): void {
  const operator = step.operator(unit);
  step.decision.begin.push({
    path: unit.path,
    attempt: operator.attempt,
    type: unit.op.type,
    idempotencyKey: operatorFacts(step.state, unit.path, operator, operator.attempt).idempotencyKey,
    fields,
    ...(unit.op.timeout === undefined ? {} : { timeout: unit.op.timeout }),
    sensitive: unit.kind === 'verify' ? [...unit.op.sensitive, ...subjectSensitive(unit)] : unit.op.sensitive,
    lateBeginIsHarmless: unit.op.lateBeginIsHarmless,
  });
}

/** What a verification finds becomes the output of what it verifies. */
const subjectSensitive = ({ container }: Unit): readonly string[] =>
  container?.what === 'unit' ? container.op.sensitive : [];

/** Started here, by the log, and never begun: its start was committed, and the executor learnt of that by reading. */
export function beginAgain(step: Step, unit: Unit): void {
  const fields = evaluateFields(step, unit, step.operator(unit).attempt);
  if ('error' in fields) {
    fail(step, unit, fields.error);
    return;
  }
  hand(step, unit, fields.value);
}
