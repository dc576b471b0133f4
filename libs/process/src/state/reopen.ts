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

/** Opens a failed path again, and the groups and loops around it up to (without) `within`. */
export function reopen(state: ProcessState, path: string, within: string, newRound: boolean): void {
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
  }
}

const isReserved = (path: string): boolean => path.endsWith('/compensate') || path.endsWith('/verify');
