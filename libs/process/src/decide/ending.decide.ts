import type { OperatorError } from '../events/process-event.types.js';
import { ancestry } from '../state/operator-path.js';
import type { EndStatus } from '../state/process-state.js';
import { maxStateBytes } from '../state/size.js';
import { stopScope } from './cancel.decide.js';
import { raiseIncident } from './lifecycle.decide.js';
import { consider } from './links.decide.js';
import { locate } from './locate.js';
import { linksOf, newScopeRun, unitOf } from './plan.js';
import { attempting, type Step } from './step.js';
import { notUndone, undoOrder } from './undo-order.js';

/** The way of a process to its end: stop, wait for every outcome, undo, `finally`, end. */

const maxPathsNamed = 1_000;

export interface Cause {
  cause: 'failed' | 'cancelled' | 'timeout';
  error: OperatorError;
  path?: string;
}

/** Why it will not complete; null: nothing of that kind. A cancellation is stronger than a failure. */
export function endingCause(step: Step): Cause | null {
  const { state, plan } = step;
  const pinned = state.compensation?.cause;
  if (state.cancel !== null && (pinned === undefined || pinned === 'cancelled')) {
    return { cause: 'cancelled', error: { code: 'cancelled', message: 'It was cancelled.' } };
  }
  if (state.timedOut)
    return { cause: 'timeout', error: { code: 'timeout', message: 'The timeout of the process passed.' } };
  const { failure } = plan.root;
  if (failure !== null) return { cause: 'failed', error: failure.error, path: failure.path };
  if (state.givenUp !== null) {
    const message = state.givenUp.reason ?? `${state.givenUp.by.id} resolved its incident as failed.`;
    return { cause: 'failed', error: { code: 'incident', message } };
  }
  if (plan.outputsError !== null) return { cause: 'failed', error: plan.outputsError, path: 'outputs' };
  if (state.size > maxStateBytes) {
    const message = `Expected a process's state to be at most ${maxStateBytes} bytes, but it is about ${state.size}.`;
    return { cause: 'failed', error: { code: 'limit', message } };
  }
  return null;
}

/** Called when nothing else is to do. True: there is more to do now. */
export function steer(step: Step): boolean {
  const { state, plan, definition } = step;
  if (state.end !== null) return false;
  if (state.finalStatus !== null) return steerFinally(step);
  if (state.compensation !== null) return steerUndo(step);
  const cause = endingCause(step);
  if (cause === null) {
    if (plan.root.open > 0 || step.restrained) return false;
    const outputs = attempting(() => evaluateOutputs(step));
    if ('error' in outputs) {
      plan.outputsError = outputs.error;
      return true;
    }
    return startFinally(step, 'completed');
  }
  const mode = stopMode(step, cause);
  if (mode === 'hold') {
    plan.root.stopping = true;
    const held = [...state.incidents.values()].some((incident) => incident.kind === 'failure-held');
    if (!held) {
      const reason = `${cause.path} failed, and nothing is undone until a person says so: ${cause.error.message}`;
      raiseIncident(step, 'failure-held', cause.path, reason, ['rerun', 'skip', 'fail']);
    }
    return false;
  }
  if (plan.stopping !== mode && plan.stopping !== 'cancel') {
    plan.stopping = mode;
    stopScope(step, plan.root, stopReason(cause), mode === 'drain');
    return true;
  }
  if (plan.root.active.size > 0 || step.context.draining === true || state.paused) return false;
  const order = definition.compensateOn.includes(cause.cause) ? undoOrder(definition, state) : [];
  if (order.length === 0) return startFinally(step, endOf(cause.cause));
  step.emit({ type: 'CompensationStarted', data: { cause: cause.cause, paths: order.slice(0, maxPathsNamed) } });
  return true;
}

export function stopMode(step: Step, cause: Cause): 'cancel' | 'drain' | 'hold' {
  const { onFailure } = step.definition;
  if (cause.cause !== 'failed' || onFailure === 'compensate') return 'cancel';
  if (onFailure === 'drain') return 'drain';
  return cause.path !== undefined && step.state.givenUp === null ? 'hold' : 'cancel';
}

export function stopReason(cause: Cause): string {
  if (cause.cause === 'failed') return `${cause.path ?? 'the process'} failed`;
  return cause.cause === 'timeout' ? 'the timeout of the process passed' : 'the process was cancelled';
}

const endOf = (cause: Cause['cause']): EndStatus => (cause === 'cancelled' ? 'cancelled' : 'failed');

/** One undo after the other. A failed one was retried already: a person decides. */
function steerUndo(step: Step): boolean {
  const { plan, state, definition } = step;
  plan.undo ??= { order: undoOrder(definition, state), next: 0, current: null };
  const { undo } = plan;
  if (step.restrained && undo.current === null) return false;
  for (;;) {
    const path = undo.order[undo.next];
    if (path === undefined) return startFinally(step, endOf(state.compensation?.cause ?? 'failed'));
    const undoPath = `${path}/compensate`;
    const operator = state.operators.get(undoPath);
    const status = operator?.status ?? 'pending';
    const passed =
      status === 'completed' ||
      status === 'skipped' ||
      (status === 'failed' && operator?.resolution?.action === 'fail');
    if (passed) {
      undo.next++;
      undo.current = null;
      continue;
    }
    if (status === 'failed') {
      if (operator?.incident !== undefined) return false;
      const reason = `${path} could not be undone: ${operator?.error?.message ?? 'it failed'}`;
      raiseIncident(step, 'compensation-failed', undoPath, reason, ['rerun', 'skip', 'fail']);
      return false;
    }
    if (undo.current !== null) return false;
    const op = locate(definition, undoPath)?.op;
    if (op === undefined) {
      undo.next++;
      continue;
    }
    const unit = unitOf(plan, undoPath, op, 'compensate', null, 0);
    undo.current = unit;
    unit.begun = status !== 'pending';
    const taken = operator !== undefined && (status !== 'pending' || operator.resolution !== undefined);
    step.todo({ do: taken && operator?.resolution?.action !== 'rerun' ? 'resume' : 'begin', unit });
    return true;
  }
}

function startFinally(step: Step, status: EndStatus): boolean {
  if (step.restrained) return false;
  if (step.definition.finally.operators.length === 0) {
    end(step, status);
    return false;
  }
  step.emit({ type: 'FinallyStarted', data: { status } });
  return true;
}

/** Whatever happens in it, the end stays the one that was about to be recorded. */
function steerFinally(step: Step): boolean {
  const { plan, state, definition } = step;
  if (plan.finally === null) {
    const run = newScopeRun(definition.finally, 'finally/', null);
    plan.finally = run;
    run.scope.operators.forEach((_, index) => {
      consider(step, run, index);
    });
    return true;
  }
  if (plan.finally.open > 0 || state.finalStatus === null) return false;
  end(step, state.finalStatus);
  return false;
}

function evaluateOutputs(step: Step) {
  const { outputs } = step.definition;
  return outputs === undefined ? null : step.evaluate(outputs, null, { status: 'completed' });
}

function end(step: Step, status: EndStatus): void {
  const { state, definition } = step;
  const compensated = [...state.compensated];
  if (status === 'completed') {
    const outputs = attempting(() => evaluateOutputs(step));
    // They could be evaluated before `finally`; what changed since is the time alone.
    step.emit({ type: 'ProcessCompleted', data: { outputs: 'value' in outputs ? outputs.value : null } });
    return;
  }
  const left = notUndone(definition, state);
  if (status === 'cancelled') {
    const { by, reason } = state.cancel ?? {};
    step.emit({
      type: 'ProcessCancelled',
      data: {
        compensated,
        notUndone: left,
        ...(by === undefined ? {} : { by }),
        ...(reason === undefined ? {} : { reason }),
      },
    });
    return;
  }
  const cause = endingCause(step);
  const failed = failedPaths(step);
  step.emit({
    type: 'ProcessFailed',
    data: {
      error: cause?.error ?? { code: 'failed', message: 'It failed.' },
      compensated,
      notUndone: left,
      ...(cause?.path === undefined ? {} : { path: cause.path }),
      ...(failed.length === 0 || (failed.length === 1 && failed[0] === cause?.path) ? {} : { failed }),
    },
  });
}

/** The innermost operators whose failure nobody handled. */
function failedPaths(step: Step): string[] {
  const paths: string[] = [];
  for (const operator of step.state.operators.values()) {
    if (paths.length >= maxPathsNamed) break;
    if (operator.status === 'failed' && operator.cause === undefined && isUnhandled(step, operator.path))
      paths.push(operator.path);
  }
  return paths;
}

/** Every operator from the outermost to it has failed, and nothing was to follow from that. */
function isUnhandled(step: Step, path: string): boolean {
  return ancestry(path).every((at) => {
    const status = step.state.operators.get(at)?.status;
    const place = locate(step.definition, at);
    const frame = place?.frames.at(-1);
    if (status !== 'failed' || place === undefined || frame === undefined || place.subject !== null) return false;
    if (at.startsWith('finally/')) return false;
    const links = linksOf(frame.scope);
    return at.endsWith(']') || links.handled[links.indexOf.get(place.op.name) ?? -1] === 0;
  });
}
