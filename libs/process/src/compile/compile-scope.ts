import type { Path } from '../definition/definition-text.js';
import type { JsonObject } from '../json.types.js';
import { Certainty } from './certainty.js';
import type { CompileContext } from './compile-context.js';
import { compileOperator } from './compile-operator.js';
import type { CompiledOperator, CompiledScope } from './compiled.types.js';
import { isMap, linkScope, outcomeNames, type ScopeNode } from './links.js';
import { checkOperatorNames } from './operator-shape.js';
import { type Place, type ScopeView, withScope } from './place.js';
import { topologicalOrder } from './topological-order.js';

const maximumOperators = 5_000;

/** The operators of a definition, of a group, or of `finally`; `view`: how they look when all have ended. */
export function compileScope(
  context: CompileContext,
  operators: JsonObject,
  path: Path,
  place: Place,
): { scope: CompiledScope; view: ScopeView } {
  checkOperatorNames(context, operators, path);
  const nodes = linkScope(operators, path, context.faults);
  countOperators(context, nodes.size, path);
  const order = topologicalOrder(nodes, context.faults);
  context.atTheEnd.push(() => warnOfUnusedOutcomes(context, nodes));
  const certainty = new Certainty(nodes);
  const compiled: CompiledOperator[] = [];
  for (const node of order) {
    const view: ScopeView = { nodes, self: node.name, certain: (name, fact) => certainty.whenRuns(node, name, fact) };
    const operator = compileOperator(context, node, compiled.length, withScope(place, view), compileScope);
    if (operator) compiled.push(operator);
  }
  return {
    scope: { operators: compiled, byName: new Map(compiled.map((operator) => [operator.name, operator])) },
    view: { nodes, certain: (name, fact) => certainty.atEnd(name, fact) },
  };
}

function countOperators(context: CompileContext, count: number, path: Path): void {
  const before = context.operators;
  context.operators += count;
  if (before <= maximumOperators && context.operators > maximumOperators)
    context.faults.error(
      path,
      `The definition has more than ${maximumOperators} operators.`,
      'Move parts into definitions of their own (`type: process`); the same for many things is `forEach`.',
      'key',
    );
}

function warnOfUnusedOutcomes(context: CompileContext, nodes: ReadonlyMap<string, ScopeNode>): void {
  const used = new Set(
    [...nodes.values()].flatMap(({ after }) => after.map((link) => `${link.from}.${link.outcome ?? ''}`)),
  );
  const followed = new Set([...nodes.values()].flatMap(({ after }) => after.map(({ from }) => from)));
  for (const node of nodes.values())
    for (const outcome of outcomeNames(node.raw))
      if (
        !context.outcomesRead.has(node.name) &&
        followed.has(node.name) &&
        !used.has(`${node.name}.${outcome}`) &&
        isMap(node.raw['outcomes'])
      )
        context.faults.warning(
          [...node.path, 'outcomes', outcome],
          `No link uses the outcome "${outcome}" of "${node.name}".`,
          `Link to it (after: [${node.name}.${outcome}]), or remove it.`,
          'key',
        );
}
