import type { ASTNode } from '@marcbachmann/cel-js';
import { children, comprehension, comprehensions, hasArgument, methodCall } from './cel-tree.js';
import { ExpressionError } from './expression.types.js';
import { knownFunctions } from './function-list.js';
import { maximumListLength } from './list.functions.js';

/**
 * What CEL allows and Baton does not, so that every evaluation is bounded: patterns that backtrack,
 * more than two comprehensions in each other, bindings (they double text), lists beyond 10,000 items.
 */
const maximumNesting = 2;

export function refuseUnbounded(source: string, tree: ASTNode): void {
  visit(source, tree, 0);
}

function visit(source: string, node: ASTNode, nesting: number): void {
  refuseFunctions(source, node);
  const loop = comprehension(node);
  if (!loop) {
    for (const child of children(node)) visit(source, child, nesting);
    return;
  }
  if (nesting >= maximumNesting)
    throw new ExpressionError(
      source,
      `${[...comprehensions].join(', ')} are nested more than ${maximumNesting} deep.`,
      'Do part of the work in a `set` operator before, or flatten the list.',
    );
  visit(source, loop.list, nesting);
  for (const body of loop.body) visit(source, body, nesting + 1);
}

function refuseFunctions(source: string, node: ASTNode): void {
  const call = methodCall(node);
  if (call?.name === 'matches' && !isRegex(call.receiver))
    throw new ExpressionError(
      source,
      'matches() is not available: some patterns would block the executor.',
      "Write regex.matches(TEXT, 'PATTERN'), which always ends quickly.",
    );
  if (call?.receiver.op === 'id' && call.receiver.args === 'cel')
    throw new ExpressionError(source, 'cel.bind() is not available.', 'Use a `set` operator for what is needed twice.');
  const name = call?.name ?? (node.op === 'call' ? node.args[0] : undefined);
  if (name !== undefined && !knownFunctions.has(name))
    throw new ExpressionError(
      source,
      `There is no function ${name}().`,
      `The functions are: ${[...knownFunctions].sort().join(', ')}.`,
    );
}

function isRegex(node: ASTNode): boolean {
  return node.op === 'id' && node.args === 'regex';
}

type Evaluate = (evaluator: unknown, node: unknown, context: unknown) => unknown;

/** Puts the run-time limits into the tree: comprehensions over at most 10,000 items, and `has()` that never fails. */
export function limitEvaluation(node: ASTNode): void {
  const loop = comprehension(node);
  if (loop)
    wrap(
      loop.list,
      (evaluate) =>
        (...given) =>
          limited(evaluate(...given)),
    );
  if (hasArgument(node))
    wrap(
      node,
      (evaluate) =>
        (...given) =>
          falseWhenAbsent(evaluate, given),
    );
  for (const child of children(node)) limitEvaluation(child);
}

function limited(list: unknown): unknown {
  const length = Array.isArray(list) ? list.length : 0;
  if (length > maximumListLength)
    throw new RangeError(
      `a list of ${length} items is longer than an expression may go through (${maximumListLength})`,
    );
  return list;
}

/** CEL fails when `a.b` is absent in `has(a.b.c)`; here it is simply not there. */
function falseWhenAbsent(evaluate: Evaluate, given: Parameters<Evaluate>): unknown {
  try {
    return evaluate(...given);
  } catch (error) {
    if (error instanceof Error && error.name === 'EvaluationError') return false;
    throw error;
  }
}

/** cel-js replaces a node's `evaluate` when it is first run: the wrapper stays around whatever stands there. */
function wrap(node: ASTNode, around: (evaluate: Evaluate) => Evaluate): void {
  let inner: Evaluate = Reflect.get(node, 'evaluate');
  const outer = around((evaluator, self, context) => inner.call(node, evaluator, self, context));
  Object.defineProperty(node, 'evaluate', {
    get: () => outer,
    set: (evaluate: Evaluate) => {
      inner = evaluate;
    },
  });
}
