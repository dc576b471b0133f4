import type { EffectResult } from '../decide/decision.types.js';
import type { ProcessEvent, Timers } from '../events/process-event.types.js';
import type { Json } from '../json.types.js';
import { isWithin } from './operator-path.js';
import { hasEnded, newOperator, type OperatorState, type OperatorStatus, type ProcessState } from './process-state.js';
import { reopen, reopenCancelled, resetOperator } from './reopen.js';
import { sizeOf } from './size.js';

export function operatorOf(state: ProcessState, path: string): OperatorState {
  let operator = state.operators.get(path);
  if (operator === undefined) {
    operator = newOperator(path);
    state.operators.set(path, operator);
    state.size += path.length + 160;
  }
  return operator;
}

export function evolveOperator(state: ProcessState, event: ProcessEvent): void {
  switch (event.type) {
    case 'OperatorStarted': {
      const data = event.data;
      const operator = operatorOf(state, data.path);
      operator.type = data.type;
      operator.class = data.class;
      operator.attempt = data.attempt;
      operator.executor = data.executor;
      operator.status = data.waitsFor === undefined ? 'running' : 'waiting';
      if (data.round !== undefined) operator.round = data.round;
      if (data.iteration !== undefined) operator.iteration = data.iteration;
      if (data.startedAt !== undefined) operator.startedAt ??= data.startedAt;
      if (data.items !== undefined) {
        operator.items = data.items as Json[];
        state.size += sizeOf(data.items);
      }
      if (data.keys !== undefined) operator.keys = data.keys;
      if (data.waitsFor !== undefined) operator.waitsFor = data.waitsFor;
      else if (operator.waitsFor !== undefined) delete operator.waitsFor;
      if (data.timers !== undefined) operator.timers = { ...operator.timers, ...data.timers };
      if (operator.unknown !== undefined) delete operator.unknown;
      if (operator.resolution !== undefined) delete operator.resolution;
      if (operator.result !== undefined) delete operator.result;
      if (operator.fired !== undefined) {
        delete operator.fired.retry;
        delete operator.fired.repeat;
        delete operator.fired.timeout;
      }
      return;
    }
    case 'OperatorWaiting': {
      const operator = operatorOf(state, event.data.path);
      operator.status = 'waiting';
      operator.waitsFor = event.data.waitsFor;
      return;
    }
    case 'OperatorAdmitted': {
      const operator = operatorOf(state, event.data.path);
      operator.admitted = true;
      delete operator.waitsFor;
      return;
    }
    case 'OperatorCompleted': {
      const data = event.data;
      const operator = operatorOf(state, data.path);
      over(state, operator, 'completed', data.endedAt);
      operator.attempt = data.attempt;
      if (data.startedAt !== undefined) operator.startedAt ??= data.startedAt;
      if (data.outcome !== undefined) operator.outcome = data.outcome;
      if (data.output !== undefined) {
        operator.output = data.output;
        state.size += sizeOf(data.output);
      }
      if (operator.error !== undefined) delete operator.error;
      takeMessage(state, data.messageId);
      if (data.path.endsWith('/compensate')) {
        const undone = operatorOf(state, data.path.slice(0, -'/compensate'.length));
        undone.status = 'compensated';
        state.compensated.push(undone.path);
      }
      return;
    }
    case 'OperatorFailed': {
      const data = event.data;
      const operator = operatorOf(state, data.path);
      over(state, operator, 'failed', data.endedAt);
      operator.attempt = data.attempt;
      operator.error = data.error;
      takeMessage(state, data.messageId);
      if (data.cause !== undefined) operator.cause = data.cause;
      if (data.output !== undefined) operator.output = data.output;
      if (data.startedAt !== undefined) operator.startedAt ??= data.startedAt;
      return;
    }
    case 'OperatorSkipped': {
      const operator = operatorOf(state, event.data.path);
      over(state, operator, 'skipped', undefined);
      if (event.data.output !== undefined) operator.output = event.data.output;
      if (operator.error !== undefined) delete operator.error;
      return;
    }
    case 'OperatorNotTaken': {
      const operator = operatorOf(state, event.data.path);
      operator.status = 'not-taken';
      operator.order = ++state.ends;
      return;
    }
    case 'OperatorCancelled': {
      const operator = operatorOf(state, event.data.path);
      const error = operator.error;
      over(state, operator, 'cancelled', undefined);
      if (error !== undefined) operator.error = error;
      if (event.data.race === true) operator.beaten = true;
      return;
    }
    case 'OperatorRetryScheduled': {
      const data = event.data;
      const operator = operatorOf(state, data.path);
      if (data.counted !== false) progress(state, operator);
      operator.status = 'retrying';
      operator.executor = null;
      operator.attempt = data.attempt;
      if (data.error !== undefined) operator.error = data.error;
      if (data.counted !== false) operator.failures++;
      if (data.newKey === true) operator.round++;
      operator.timers = { ...lasting(operator), retry: data.dueAt };
      forgetFired(operator);
      takeMessage(state, data.messageId);
      delete operator.waitsFor;
      delete operator.result;
      closeTask(state, operator, 'it is tried again');
      if (operator.items !== undefined) reopenItems(state, operator, data.items ?? 'failed');
      else if (operator.type === 'group') {
        reopenCancelled(state, data.path);
        if (data.cause !== undefined) reopen(state, data.cause, data.path, false);
      }
      return;
    }
    case 'OperatorRepeatScheduled': {
      const data = event.data;
      const operator = operatorOf(state, data.path);
      progress(state, operator);
      operator.status = 'retrying';
      operator.executor = null;
      operator.attempt = data.attempt;
      operator.iteration = data.iteration;
      operator.failures = 0;
      operator.round = 1;
      if (data.output === undefined) delete operator.previous;
      else operator.previous = data.output;
      operator.timers = { ...lasting(operator), repeat: data.dueAt };
      forgetFired(operator);
      takeMessage(state, data.messageId);
      delete operator.error;
      delete operator.waitsFor;
      delete operator.result;
      closeTask(state, operator, 'the next iteration begins');
      return;
    }
    case 'OperatorOutcomeUnknown': {
      const operator = operatorOf(state, event.data.path);
      operator.status = 'unknown';
      operator.executor = null;
      if (event.data.lost !== true) operator.unknowns++;
      operator.uncertain = true;
      operator.unknown = { reason: event.data.reason, recovery: event.data.recovery };
      delete operator.result;
      forgetVerification(state, event.data.path);
      return;
    }
    case 'TaskAssigned': {
      const data = event.data;
      const operator = operatorOf(state, data.path);
      operator.task = {
        id: data.taskId,
        assign: data.assign,
        form: data.form,
        needs: data.needs,
        dueAt: data.dueAt,
        claimedBy: null,
        delegatedTo: null,
        answers: [],
        ...(data.title === undefined ? {} : { title: data.title }),
        ...(data.instructions === undefined ? {} : { instructions: data.instructions }),
      };
      state.tasks.set(data.taskId, data.path);
      state.size += sizeOf(data.form) + sizeOf(data.assign);
      return;
    }
    case 'TaskUpdated': {
      const task = taskOf(state, event.data.taskId);
      if (task === undefined) return;
      if (event.data.draft !== undefined) task.draft = event.data.draft;
      if (event.data.claimedBy !== undefined) task.claimedBy = event.data.claimedBy;
      if (event.data.delegatedTo !== undefined) task.delegatedTo = event.data.delegatedTo;
      return;
    }
    case 'TaskReminded': {
      const data = event.data;
      const operator = operatorOf(state, data.path);
      if (operator.timers !== undefined) {
        delete operator.timers[data.kind];
        if (data.nextAt !== undefined) operator.timers[data.kind] = data.nextAt;
      }
      if (data.assign !== undefined && operator.task !== undefined) operator.task.assign = data.assign;
      return;
    }
    case 'TaskAnswered': {
      const task = taskOf(state, event.data.taskId);
      if (task === undefined) return;
      const { answer, by, answeredAt } = event.data;
      task.answers.push({ answer, by, ...(answeredAt === undefined ? {} : { answeredAt }) });
      delete task.draft;
      task.claimedBy = null;
      task.delegatedTo = null;
      state.size += sizeOf(answer);
      return;
    }
    case 'JobDone':
    case 'CommandDone': {
      const operator = operatorOf(state, event.data.path);
      if (operator.attempt !== event.data.attempt || operator.status !== 'waiting') return;
      operator.result = event.data.result as EffectResult;
      return;
    }
    case 'TimerFired': {
      const { path, timer } = event.data;
      if (path === '') {
        if (timer === 'warn') state.warned = true;
        return;
      }
      const operator = operatorOf(state, path);
      if (operator.timers !== undefined) delete operator.timers[timer];
      if (timer !== 'warn') operator.fired = { ...operator.fired, [timer]: true };
      return;
    }
    default:
  }
}

function over(state: ProcessState, operator: OperatorState, status: OperatorStatus, at: string | undefined): void {
  progress(state, operator);
  operator.status = status;
  operator.executor = null;
  operator.order = ++state.ends;
  if (at !== undefined) operator.endedAt = at;
  if (operator.timers !== undefined) delete operator.timers;
  if (operator.fired !== undefined) delete operator.fired;
  if (operator.waitsFor !== undefined) delete operator.waitsFor;
  if (operator.result !== undefined) delete operator.result;
  if (operator.unknown !== undefined) delete operator.unknown;
  if (operator.resolution !== undefined) delete operator.resolution;
  if (operator.task !== undefined) closeTask(state, operator, `its operator is ${status}`);
}

/** Once, whatever its receiver came to. */
function takeMessage(state: ProcessState, messageId: string | undefined): void {
  if (messageId === undefined) return;
  state.messages = state.messages.filter((message) => message.messageId !== messageId);
}

/** The timers of the whole operator: those of an attempt end with it. */
function lasting({ timers }: OperatorState): Timers {
  const { deadline, warn } = timers ?? {};
  return { ...(deadline === undefined ? {} : { deadline }), ...(warn === undefined ? {} : { warn }) };
}

/** What ended the attempt does not end the next one; a deadline that passed holds for all of them. */
function forgetFired(operator: OperatorState): void {
  const deadline = operator.fired?.deadline === true;
  if (operator.fired !== undefined) delete operator.fired;
  if (deadline) operator.fired = { deadline };
}

/** An outcome was recorded: executors that died before it are forgotten. */
function progress(state: ProcessState, operator: OperatorState): void {
  state.claims = 0;
  if (state.deaths !== 0) {
    state.deaths = 0;
    for (const other of state.operators.values()) other.deaths = 0;
  }
  operator.unknowns = operator.status === 'unknown' ? operator.unknowns : 0;
}

function taskOf(state: ProcessState, taskId: string) {
  const path = state.tasks.get(taskId);
  return path === undefined ? undefined : state.operators.get(path)?.task;
}

function closeTask(state: ProcessState, operator: OperatorState, why: string): void {
  if (operator.task === undefined || !state.tasks.delete(operator.task.id)) return;
  state.closedTasks.set(operator.task.id, why);
}

/** A loop is tried again: what completed in it stays, what failed is open again (`all`: everything). */
function reopenItems(state: ProcessState, operator: OperatorState, items: 'failed' | 'all'): void {
  reopenCancelled(state, operator.path);
  for (const other of [...state.operators.values()]) {
    if (!isWithin(other.path, operator.path)) continue;
    if (items === 'all') resetOperator(other, false);
    else if (other.status === 'failed' && isItemOf(other.path, operator.path)) {
      reopen(state, other.cause ?? other.path, operator.path, false);
    }
  }
}

const isItemOf = (path: string, loop: string): boolean =>
  path[loop.length] === '[' && path.endsWith(']') && !path.slice(loop.length + 1, -1).includes(']');

/** Each unknown outcome is verified anew: what was found out about the one before says nothing about it. */
function forgetVerification(state: ProcessState, path: string): void {
  const verification = state.operators.get(`${path}/verify`);
  if (verification !== undefined && hasEnded(verification.status)) verification.status = 'pending';
}
