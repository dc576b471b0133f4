import type { Json, JsonObject } from '../json.types.js';
import type { OperatorState } from '../state/process-state.js';
import { durationOf } from './duration.js';
import { evaluateFields } from './evaluate-fields.js';
import { childId, idempotencyKey, jobId } from './identity.js';
import { isoTime } from './iso-time.js';
import { complete, fail, outcomeUnknown } from './lifecycle.decide.js';
import type { Unit } from './plan.js';
import { receives, takeMessage } from './receive.decide.js';
import { startFacts } from './start-facts.js';
import type { Step } from './step.js';
import { assignTask, checkAnswers } from './task.decide.js';

/** Waiting operators: started once with what they wait for, resumed on a takeover, never executed again. */
export function startWaiting(step: Step, unit: Unit): void {
  const evaluated = evaluateFields(step, unit);
  if ('error' in evaluated) {
    fail(step, unit, evaluated.error);
    return;
  }
  const fields = evaluated.value;
  const attempt = step.operator(unit).attempt + 1;
  switch (unit.op.type) {
    case 'delay': {
      const dueAt = delayUntil(step, fields);
      if (dueAt === undefined) {
        const message = 'Expected a duration in `for` (15m) or a time in `until` (ISO 8601), but there is neither.';
        fail(step, unit, { code: 'expression', message });
        return;
      }
      const timers = { delay: dueAt };
      wait(step, unit, startFacts(step, unit, { kind: 'timer', dueAt }, timers));
      return;
    }
    case 'user-task':
      assignTask(step, unit, fields);
      return;
    case 'process': {
      const child = childId(step.state.id, unit.path, attempt);
      const onParentEnd = fields['onParentEnd'] === 'leave' ? 'leave' : 'cancel';
      wait(step, unit, startFacts(step, unit, { kind: 'child', child, onParentEnd }));
      spawn(step, unit, child, fields);
      return;
    }
    case 'receive': {
      const dueAt = unit.op.deadline === undefined ? null : step.after(unit.op.deadline);
      wait(step, unit, startFacts(step, unit, receives(fields, dueAt)));
      takeMessage(step, unit);
      return;
    }
    case 'job': {
      const queue = String(fields['queue'] ?? 'default');
      const id = jobId(step.state.id, unit.path, attempt);
      wait(step, unit, startFacts(step, unit, { kind: 'job', queue, jobId: id, input: fields['input'] ?? null }));
      return;
    }
    case 'command': {
      const commandId = idempotencyKey(step.state.id, unit.path, 1, attempt);
      wait(step, unit, startFacts(step, unit, { kind: 'command', commandId, agent: fields['agent'] ?? null }));
      return;
    }
    default:
      fail(step, unit, { code: 'unsupported', message: `No executor knows how a ${unit.op.type} waits.` });
      return;
  }
}

function delayUntil(step: Step, fields: Record<string, Json>): string | undefined {
  const length = durationOf(fields['for']);
  if (length !== undefined) return step.after(length);
  const until = fields['until'];
  const time = typeof until === 'string' ? Date.parse(until) : Number.NaN;
  return Number.isNaN(time) ? undefined : isoTime(time);
}

function wait(step: Step, unit: Unit, facts: ReturnType<typeof startFacts>): void {
  step.emit({ type: 'OperatorStarted', data: facts });
  step.timers(unit, facts.timers);
  step.plan.waiting.add(unit);
}

/** The child's creation is idempotent by its derived id: said again after a takeover. */
function spawn(step: Step, unit: Unit, child: string, fields: Record<string, Json>): void {
  const { state } = step;
  const version = fields['version'];
  const operator = step.operator(unit);
  step.decision.spawn.push({
    id: child,
    definition: String(fields['definition'] ?? ''),
    version: typeof version === 'number' ? version : version === 'latest' ? 'latest' : 'published',
    inputs: (fields['inputs'] ?? {}) as JsonObject,
    request: {
      environment: state.environment,
      priority: state.priority,
      labels: state.labels,
      requester: state.requester,
      parent: {
        id: state.id,
        path: unit.path,
        attempt: operator.attempt,
        onParentEnd: fields['onParentEnd'] === 'leave' ? 'leave' : 'cancel',
      },
    },
  });
}

/** After a load: whether the child was ever made is not known, so it is made again, which does nothing when it was. */
export function spawnAgain(step: Step, unit: Unit): void {
  const operator = step.operator(unit);
  if (operator.waitsFor?.kind !== 'child' || operator.result !== undefined) return;
  const evaluated = evaluateFields(step, unit, operator.attempt);
  if ('error' in evaluated) {
    fail(step, unit, evaluated.error);
    return;
  }
  spawn(step, unit, operator.waitsFor.child, evaluated.value);
}

/** What came from outside since: an answer, a message, an end, a fired timer. */
export function resumeWaiting(step: Step, unit: Unit): void {
  const operator = step.operator(unit);
  if (operator.status !== 'waiting') return;
  if (operator.fired?.delay === true) {
    complete(step, unit, { firedAt: firedAt(operator) });
    return;
  }
  const { result } = operator;
  if (result !== undefined) {
    if (result.status === 'completed') {
      complete(step, unit, result.output);
      return;
    }
    if (result.status === 'unknown') {
      outcomeUnknown(step, unit, result.reason);
      return;
    }
    const error = result.status === 'failed' ? result.error : { code: 'not-begun', message: result.reason };
    fail(step, unit, error, result.status === 'failed' && result.output !== undefined ? { output: result.output } : {});
    return;
  }
  if (operator.waitsFor?.kind === 'task') {
    checkAnswers(step, unit);
    return;
  }
  if (operator.waitsFor?.kind === 'message' || operator.waitsFor?.kind === 'topic') {
    takeMessage(step, unit);
    return;
  }
}

const firedAt = (operator: OperatorState): string =>
  operator.waitsFor?.kind === 'timer' ? operator.waitsFor.dueAt : '';
