import type { CompiledDefinition } from '../compile/compiled.types.js';
import { ancestry } from '../state/operator-path.js';
import type { OperatorState, ProcessState } from '../state/process-state.js';
import { locate } from './locate.js';

/** It may have had an effect that nobody knows of, and did not complete after it. */
const isUnknown = ({ uncertain, status }: OperatorState): boolean =>
  uncertain && (status === 'cancelled' || status === 'failed' || status === 'skipped');

const isAside = (path: string): boolean => path.startsWith('finally/') || /\/(?:compensate|verify)(?:\/|$)/.test(path);
const isItem = (path: string): boolean => path.endsWith(']');

/**
 * What is to be undone, in order: backwards by when it ended, what is within a group or loop before the group's own undo.
 * A child process that completed is undone by the `compensate` of its operator, as every operator is: its stream has
 * ended and is not opened again. One that runs is cancelled, and undoes itself.
 */
export function undoOrder(definition: CompiledDefinition, state: ProcessState): string[] {
  const found: { path: string; chain: { path: string; order: number }[] }[] = [];
  for (const operator of state.operators.values()) {
    if (!isUndoable(definition, operator)) continue;
    const chain = ancestry(operator.path).map((path) => ({ path, order: state.operators.get(path)?.order ?? 0 }));
    found.push({ path: operator.path, chain });
  }
  found.sort((a, b) => {
    const shared = Math.min(a.chain.length, b.chain.length);
    for (let depth = 0; depth < shared; depth++) {
      const left = a.chain[depth];
      const right = b.chain[depth];
      if (left === undefined || right === undefined || left.path === right.path) continue;
      return right.order - left.order;
    }
    return b.chain.length - a.chain.length;
  });
  return found.map(({ path }) => path);
}

function isUndoable(definition: CompiledDefinition, operator: OperatorState): boolean {
  const { status, path } = operator;
  const unknown = isUnknown(operator);
  if ((status !== 'completed' && !unknown) || isAside(path)) return false;
  const op = locate(definition, path)?.op;
  if (op?.compensate === undefined || (op.forEach !== undefined && !isItem(path))) return false;
  return status === 'completed' || op.compensate.onUnknown;
}

/** What may have happened and was not undone: named at the end. */
export function notUndone(definition: CompiledDefinition, state: ProcessState): string[] {
  const paths: string[] = [];
  for (const operator of state.operators.values()) {
    const { status, path } = operator;
    if (isAside(path)) continue;
    if (isUnknown(operator)) {
      if (locate(definition, path)?.op.lateBeginIsHarmless !== true) paths.push(path);
    } else if (status === 'completed' && state.operators.get(`${path}/compensate`) !== undefined) paths.push(path);
  }
  return paths;
}
