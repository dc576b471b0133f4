import type { ASTNode } from '@marcbachmann/cel-js';
import { children, comprehension, constantPath, hasArgument } from './cel-tree.js';
import type { Reference } from './expression.types.js';

/** A read of the scope, as the checker sees it. */
export interface Read extends Reference {
  /** False: the path goes on with something that is known only at run time. */
  exact: boolean;
  /** Inside `has()`: it may be absent. */
  tested: boolean;
  /** Outputs proven to be there at this place, by `has()` or a comparison of status or outcome before it. */
  provenBy: readonly string[];
}

/** Names that are no part of the scope: CEL's types and Baton's namespaces. */
const notScope: ReadonlySet<string> = new Set([
  'regex',
  'google',
  'int',
  'uint',
  'double',
  'string',
  'bool',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
]);

export function isReservedName(name: string): boolean {
  return notScope.has(name);
}

export function readsOf(tree: ASTNode): Read[] {
  const reads: Read[] = [];
  collect(tree, new Set(), [], false, reads);
  return reads;
}

function collect(
  node: ASTNode,
  bound: ReadonlySet<string>,
  proven: readonly string[],
  tested: boolean,
  reads: Read[],
): void {
  const chain = constantPath(node);
  if (chain) {
    if (!bound.has(chain.root) && !notScope.has(chain.root)) reads.push({ ...chain, tested, provenBy: proven });
    collectIndexes(node, bound, proven, reads);
    return;
  }
  const inHas = hasArgument(node);
  if (inHas) {
    collect(inHas, bound, proven, true, reads);
    return;
  }
  const loop = comprehension(node);
  if (loop) {
    collect(loop.list, bound, proven, false, reads);
    const inner = new Set([...bound, loop.variable]);
    for (const body of loop.body) collect(body, inner, proven, false, reads);
    return;
  }
  collectBranches(node, bound, proven, reads);
}

/** `a && b`: b is only of interest where a holds, and the other way round; so it is with `||` and `? :`. */
function collectBranches(node: ASTNode, bound: ReadonlySet<string>, proven: readonly string[], reads: Read[]): void {
  if (node.op === '&&' || node.op === '||') {
    const [left, right] = node.args;
    const holds = node.op === '&&';
    collect(left, bound, [...proven, ...provenIf(right, holds)], false, reads);
    collect(right, bound, [...proven, ...provenIf(left, holds)], false, reads);
    return;
  }
  if (node.op === '?:') {
    const [condition, yes, no] = node.args;
    collect(condition, bound, proven, false, reads);
    collect(yes, bound, [...proven, ...provenIf(condition, true)], false, reads);
    collect(no, bound, [...proven, ...provenIf(condition, false)], false, reads);
    return;
  }
  for (const child of children(node)) collect(child, bound, proven, false, reads);
}

/** `a[EXPRESSION].b`: what the index reads. */
function collectIndexes(node: ASTNode, bound: ReadonlySet<string>, proven: readonly string[], reads: Read[]): void {
  if (node.op !== '.' && node.op !== '[]') return;
  collectIndexes(node.args[0], bound, proven, reads);
  if (node.op === '[]' && node.args[1].op !== 'value') collect(node.args[1], bound, proven, false, reads);
}

/** Which paths are known to be there if the condition came out as `holds`. */
export function provenIf(node: ASTNode, holds: boolean): string[] {
  const inHas = hasArgument(node);
  if (inHas) return holds ? pathKeys(inHas) : [];
  if (node.op === '!_') return provenIf(node.args, !holds);
  if ((node.op === '&&' && holds) || (node.op === '||' && !holds))
    return node.args.flatMap((part) => provenIf(part, holds));
  if ((node.op === '==' && holds) || (node.op === '!=' && !holds)) return provenByComparison(node.args);
  return [];
}

/** `operators.a.status == 'completed'` and `operators.a.outcome == 'x'` prove that a has an output. */
function provenByComparison(sides: readonly ASTNode[]): string[] {
  for (const [side, other] of [sides, [...sides].reverse()]) {
    if (!side || other?.op !== 'value') continue;
    const chain = constantPath(side);
    if (chain?.root !== 'operators' || chain.path.length !== 2) continue;
    const [name, field] = chain.path;
    if (field === 'outcome' || (field === 'status' && other.args === 'completed')) return [`operators.${name}.output`];
    if (field === 'status' && other.args === 'failed') return [`operators.${name}.error`];
  }
  return [];
}

function pathKeys(node: ASTNode): string[] {
  const chain = constantPath(node);
  return chain?.exact ? [[chain.root, ...chain.path].join('.')] : [];
}
