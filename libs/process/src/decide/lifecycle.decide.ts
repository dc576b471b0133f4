import type { CompiledOperator } from '../compile/compiled.types.js';
import type { Actor, IncidentAction, OperatorError } from '../events/process-event.types.js';
import type { Json } from '../json.types.js';
import { incidentId } from './identity.js';
import { type Unit, unitOf } from './plan.js';
import { attempting, type Step } from './step.js';

/** How operators end, are tried again, repeated, or are not known about. Everything else decides only when. */

export interface EndDetail {
  outcome?: string;
  startedAt?: string;
  endedAt?: string;
  output?: Json;
  cause?: string;
  messageId?: string;
  by?: Actor;
  /** False: not a known failure, or one that a retry cannot mend. */
  retryable?: boolean;
}

/** A loop itself, not one of its items: what belongs to the body (repeat, expect, retry) is its items' business. */
export const isLoop = (unit: Unit): boolean => unit.op.forEach !== undefined && unit.kind !== 'item';

type Retry = NonNullable<CompiledOperator['retry']>;
const undoRetry: Retry = { attempts: 3, initial: 1_000, factor: 2, max: 30_000, newKey: false };
const rerunPause = { initial: 1_000, factor: 2, max: 60_000 };
const beyondRetry = new Set(['deadline', 'exhausted', 'limit', 'unknown-outcome', 'incident', 'unsupported']);

export function complete(step: Step, unit: Unit, output: Json | undefined, detail: EndDetail = {}): void {
  const { op } = unit;
  const operator = step.operator(unit);
  const attempt = Math.max(1, operator.attempt);
  const loop = isLoop(unit);
  if (op.repeat !== undefined && !loop && unit.ending === null) {
    const over = attempting(() => iterationIsLast(step, unit, output));
    if ('error' in over) {
      fail(step, unit, over.error, detail);
      return;
    }
    if (!over.value) {
      if (operator.iteration >= op.repeat.max) {
        const message = `Expected to be done within ${op.repeat.max} iterations, but it was not after the last.`;
        const last = output === undefined ? {} : { output };
        fail(step, unit, { code: 'exhausted', message }, { ...detail, ...last, retryable: false });
        return;
      }
      const dueAt = step.after(op.repeat.every);
      step.emit({
        type: 'OperatorRepeatScheduled',
        data: {
          path: unit.path,
          ...unannounced(step, unit),
          attempt,
          iteration: operator.iteration + 1,
          dueAt,
          ...(output === undefined ? {} : { output }),
          ...taken(detail),
          ...step.heldRows(unit),
        },
      });
      pauseUntil(step, unit, 'repeat', dueAt);
      return;
    }
  }
  const extra = { output: output ?? null, iteration: operator.iteration, previous: operator.previous ?? null };
  if (op.expect !== undefined && !loop) {
    const expect = op.expect;
    const holds = attempting(() => step.evaluate(expect, unit.path, extra));
    if ('error' in holds) {
      fail(step, unit, holds.error, detail);
      return;
    }
    if (holds.value !== true) {
      const error = { code: 'expect', message: `Expected ${expect.source}, but it does not hold.` };
      fail(step, unit, error, { ...detail, ...(output === undefined ? {} : { output }) });
      return;
    }
  }
  let outcome = detail.outcome;
  if (unit.kind !== 'item' && outcome === undefined) {
    const named = attempting(() => outcomeOf(step, unit, extra));
    if ('error' in named) {
      fail(step, unit, named.error, detail);
      return;
    }
    outcome = named.value;
  }
  step.emit({
    type: 'OperatorCompleted',
    data: {
      path: unit.path,
      ...unannounced(step, unit),
      attempt,
      ...(outcome === undefined ? {} : { outcome }),
      ...(output === undefined ? {} : { output }),
      ...(detail.startedAt === undefined ? {} : { startedAt: detail.startedAt }),
      endedAt: detail.endedAt ?? step.nowIso,
      ...(detail.by === undefined ? {} : { by: detail.by }),
      ...taken(detail),
      ...step.heldRows(unit),
    },
  });
  settle(step, unit);
}

/** No start told the type of an inline operator: its end does, for those who read the log without the definition. */
function unannounced(step: Step, unit: Unit): { type?: string } {
  const inline = unit.op.class === 'inline' && unit.op.scope === undefined && !isLoop(unit);
  return inline || step.operator(unit).attempt === 0 ? { type: unit.op.type } : {};
}

/** A message is taken once, whatever its receiver comes to. */
const taken = ({ messageId }: EndDetail) => (messageId === undefined ? {} : { messageId });

export function outcomeOf(step: Step, unit: Unit, extra: { output: Json }): string | undefined {
  for (const { name, when } of unit.op.outcomes) {
    if (when === 'else' || step.evaluate(when, unit.path, extra) === true) return name;
  }
  return undefined;
}

function iterationIsLast(step: Step, unit: Unit, output: Json | undefined): boolean {
  const { iteration, previous } = step.operator(unit);
  const extra = { output: output ?? null, previous: previous ?? null, iteration };
  const repeat = unit.op.repeat;
  if (repeat?.until !== undefined && step.evaluate(repeat.until, unit.path, extra) === true) return true;
  if (repeat?.while !== undefined && step.evaluate(repeat.while, unit.path, extra) !== true) return true;
  return repeat?.until === undefined && repeat?.while === undefined && iteration >= (repeat?.max ?? 1);
}

export function fail(step: Step, unit: Unit, problem: OperatorError, detail: EndDetail = {}): void {
  const { ending } = unit;
  if (ending !== null && ending.error === null) {
    cancelled(step, unit, ending.reason);
    return;
  }
  const error = ending?.error ?? problem;
  const operator = step.operator(unit);
  // An inline operator has no start: its first trace is its end.
  const attempt = Math.max(1, operator.attempt);
  const retry: Retry | undefined = unit.op.retry ?? (unit.kind === 'compensate' ? undoRetry : undefined);
  const mayRetry =
    retry !== undefined &&
    detail.retryable !== false &&
    !beyondRetry.has(error.code) &&
    // `items` makes the loop itself try again, instead of each item.
    (isLoop(unit) ? retry.items !== undefined : unit.kind !== 'item' || retry.items === undefined) &&
    (retry.on === undefined ? error.code !== 'expression' : retry.on.includes(error.code)) &&
    operator.fired?.deadline !== true &&
    operator.failures + 1 < retry.attempts;
  if (mayRetry) {
    const dueAt = step.after(backoff(retry, operator.failures + 1));
    const { items } = retry;
    step.emit({
      type: 'OperatorRetryScheduled',
      data: {
        path: unit.path,
        ...unannounced(step, unit),
        attempt,
        error,
        dueAt,
        ...(retry.newKey ? { newKey: true } : {}),
        ...(items === undefined || !isLoop(unit) ? {} : { items }),
        ...(detail.cause === undefined ? {} : { cause: detail.cause }),
        ...taken(detail),
        ...step.heldRows(unit),
      },
    });
    pauseUntil(step, unit, 'retry', dueAt);
    return;
  }
  step.emit({
    type: 'OperatorFailed',
    data: {
      path: unit.path,
      ...unannounced(step, unit),
      attempt,
      error,
      ...(detail.startedAt === undefined ? {} : { startedAt: detail.startedAt }),
      endedAt: detail.endedAt ?? step.nowIso,
      ...(detail.output === undefined ? {} : { output: detail.output }),
      ...(detail.cause === undefined ? {} : { cause: detail.cause }),
      ...taken(detail),
      ...step.heldRows(unit),
    },
  });
  settle(step, unit);
}

export const backoff = (pause: { initial: number; factor: number; max: number }, failures: number): number =>
  Math.min(pause.max, Math.round(pause.initial * pause.factor ** (failures - 1)));

function pauseUntil(step: Step, unit: Unit, kind: 'retry' | 'repeat', dueAt: string): void {
  rest(step, unit);
  unit.body = null;
  unit.loop = null;
  unit.ending = null;
  step.plan.waiting.add(unit);
  step.plan.timers.add(unit.path, kind, dueAt);
}

/** It never began: known not to have happened, and no failure of its own. */
export function neverBegan(step: Step, unit: Unit, reason: string): void {
  if (unit.ending !== null) {
    fail(step, unit, { code: 'not-begun', message: reason });
    return;
  }
  const dueAt = step.after(step.context.draining === true ? 0 : rerunPause.initial);
  tryAgainUncounted(step, unit, dueAt);
}

/** It is to end, and its executor knows that it never began. */
export function finishNotBegun(step: Step, unit: Unit): void {
  fail(step, unit, { code: 'not-begun', message: 'It never began.' });
}

function tryAgainUncounted(step: Step, unit: Unit, dueAt: string): void {
  const { attempt } = step.operator(unit);
  step.emit({
    type: 'OperatorRetryScheduled',
    data: { path: unit.path, attempt, dueAt, counted: false, ...step.heldRows(unit) },
  });
  pauseUntil(step, unit, 'retry', dueAt);
}

export function cancelled(step: Step, unit: Unit, reason: string): void {
  const { attempt } = step.operator(unit);
  const race = unit.ending?.race === true ? { race: true } : {};
  step.emit({ type: 'OperatorCancelled', data: { path: unit.path, attempt, reason, ...race, ...step.heldRows(unit) } });
  settle(step, unit);
}

/** An effect of which nobody knows whether it happened: recorded as that, then `recovery` decides. */
export function outcomeUnknown(step: Step, unit: Unit, reason: string, startedAt?: string, lost = false): void {
  const { attempt } = step.operator(unit);
  step.emit({
    type: 'OperatorOutcomeUnknown',
    data: {
      path: unit.path,
      attempt,
      reason,
      recovery: unit.op.recovery,
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(lost ? { lost } : {}),
    },
  });
  rest(step, unit);
  if (unit.ending !== null) {
    const { error, reason: why } = unit.ending;
    if (error === null) cancelled(step, unit, why);
    else fail(step, unit, error, { retryable: false });
    return;
  }
  recover(step, unit);
}

export function recover(step: Step, unit: Unit): void {
  const operator = step.operator(unit);
  const reason = operator.unknown?.reason ?? 'nobody saw its end';
  const recovery = operator.unknown?.recovery ?? unit.op.recovery;
  if (recovery === 'fail' || operator.fired?.deadline === true) {
    const message = `Whether it happened is not known: ${reason}.`;
    fail(step, unit, { code: 'unknown-outcome', message }, { retryable: false });
    return;
  }
  if (recovery === 'rerun') {
    // The first time at once; a target that never answers is not asked without end and pause.
    if (operator.unknowns <= 1) step.todo({ do: 'begin', unit });
    else tryAgainUncounted(step, unit, step.after(backoff(rerunPause, operator.unknowns - 1)));
    step.plan.waiting.add(unit);
    return;
  }
  step.plan.waiting.add(unit);
  if (recovery === 'verify' && unit.op.verify !== undefined) {
    const verify = unitOf(step.plan, `${unit.path}/verify`, unit.op.verify, 'verify', unit, 0);
    verify.settled = false;
    verify.begun = false;
    verify.ending = null;
    step.todo({ do: 'begin', unit: verify });
    return;
  }
  if (operator.incident === undefined) {
    const why = `Attempt ${operator.attempt} of ${unit.path} may or may not have happened: ${reason}.`;
    raiseIncident(step, 'unknown-outcome', unit.path, why, ['rerun', 'skip', 'fail']);
  }
}

export function raiseIncident(
  step: Step,
  kind: string,
  path: string | undefined,
  reason: string,
  actions: IncidentAction[],
): void {
  step.emit({
    type: 'IncidentRaised',
    data: {
      incidentId: incidentId(step.state.id, step.state.version, path ?? ''),
      kind,
      reason,
      actions,
      ...(path === undefined ? {} : { path }),
    },
  });
}

export function rest(step: Step, unit: Unit): void {
  step.plan.effects.delete(unit);
  step.plan.foreign.delete(unit);
  step.plan.waiting.delete(unit);
}

/** Ended, one way or another: those around it hear of it. */
export function settle(step: Step, unit: Unit): void {
  rest(step, unit);
  unit.begun = true;
  step.todo({ do: 'ended', unit });
}
