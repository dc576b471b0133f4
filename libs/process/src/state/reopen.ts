import { isWithin, parentPath } from './operator-path.js';
import { newOperator, type OperatorState, type ProcessState } from './process-state.js';

/** Makes a path pending again: attempts count on, what it came to is forgotten. */
export function resetOperator(operator: OperatorState, newRound: boolean): void {
  const { path, type, attempt, round, uncertain, iteration, previous } = operator;
  const fresh = newOperator(path, type, operator.class);
  for (const name of Object.keys(operator) as (keyof OperatorState)[]) {
    if (!(name in fresh) && name !== 'items' && name !== 'keys') delete operator[name];
  }
  Object.assign(operator, fresh, { attempt, round: newRound ? round + 1 : round, uncertain, iteration });
  if (previous !== undefined) operator.previous = previous;
}

/** Links are followed anew from what did end: what was not taken, or cancelled, below `within` is open again. */
export function reopenCancelled(state: ProcessState, within: string): void {
  for (const operator of state.operators.values()) {
    const stopped = operator.status === 'cancelled' && operator.beaten !== true;
    if ((operator.status === 'not-taken' || stopped) && isWithin(operator.path, within)) {
      resetOperator(operator, false);
    }
  }
}

/**
 * Opens a failed path again, and the groups and loops around it up to (without) `within`. In such a loop the other failed
 * items are open again, too (`items`): with them it would fail before anything is tried.
 */
export function reopen(state: ProcessState, path: string, within: string, newRound: boolean, items = true): void {
  const operator = state.operators.get(path);
  if (operator === undefined) return;
  resetOperator(operator, newRound);
  let below = path;
  for (let at = parentPath(path); at !== '' && at !== within; at = parentPath(at)) {
    if (isReserved(below)) return; // what is undone or verified is not open again with its undo
    below = at;
    const outer = state.operators.get(at);
    if (outer === undefined || (outer.status !== 'failed' && outer.status !== 'cancelled')) continue;
    const { attempt, iteration, round, startedAt } = outer;
    resetOperator(outer, false);
    outer.status = 'running';
    outer.attempt = attempt;
    outer.iteration = iteration;
    outer.round = round;
    if (startedAt !== undefined) outer.startedAt = startedAt;
    if (items && outer.items !== undefined) reopenFailedItems(state, at, newRound);
  }
}

function reopenFailedItems(state: ProcessState, loop: string, newRound: boolean): void {
  for (const operator of [...state.operators.values()]) {
    if (operator.status !== 'failed' || parentPath(operator.path) !== loop) continue;
    reopen(state, operator.cause ?? operator.path, loop, newRound);
  }
}

const isReserved = (path: string): boolean => path.endsWith('/compensate') || path.endsWith('/verify');
