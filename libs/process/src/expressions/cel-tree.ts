import type { ASTNode } from '@marcbachmann/cel-js';

/** The parts of cel-js's syntax tree that Baton looks at, in one place. */
export const comprehensions: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

export interface MethodCall {
  name: string;
  receiver: ASTNode;
  arguments: ASTNode[];
}

export function methodCall(node: ASTNode): MethodCall | undefined {
  if (node.op !== 'rcall') return undefined;
  const [name, receiver, args] = node.args;
  return { name, receiver, arguments: args };
}

/** `list.map(x, …)` and its like: the name of the item, and what is evaluated for each. */
export function comprehension(node: ASTNode): { variable: string; list: ASTNode; body: ASTNode[] } | undefined {
  const call = methodCall(node);
  if (!call || !comprehensions.has(call.name) || call.arguments.length < 2) return undefined;
  const [variable, ...body] = call.arguments;
  if (variable?.op !== 'id') return undefined;
  return { variable: variable.args, list: call.receiver, body };
}

/** The argument of `has(a.b.c)`. */
export function hasArgument(node: ASTNode): ASTNode | undefined {
  if (node.op !== 'call') return undefined;
  const [name, args] = node.args;
  return name === 'has' ? args[0] : undefined;
}

export function children(node: ASTNode): ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return [...node.args];
  }
}

/** `a.b['c'].d`: its root and the names after it, as far as they are constant. `exact`: nothing was left out. */
export function constantPath(node: ASTNode): { root: string; path: string[]; exact: boolean } | undefined {
  if (node.op === 'id') return { root: node.args, path: [], exact: true };
  if (node.op === '.') {
    const parent = constantPath(node.args[0]);
    return parent && extended(parent, node.args[1]);
  }
  if (node.op === '[]') {
    const parent = constantPath(node.args[0]);
    const index = node.args[1];
    const key = index.op === 'value' && typeof index.args === 'string' ? index.args : undefined;
    return parent && (key === undefined ? { ...parent, exact: false } : extended(parent, key));
  }
  return undefined;
}

function extended(parent: { root: string; path: string[]; exact: boolean }, name: string) {
  return parent.exact ? { ...parent, path: [...parent.path, name] } : parent;
}
