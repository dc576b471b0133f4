import type { CompiledLink, CompiledOperator, CompiledScope } from '../compile/compiled.types.js';

/** One operator of a graph, as a line of a drawing that reads from top to bottom. */
export interface OutlineLine {
  /** The lines of the tree before it. */
  rails: string;
  /** Where it stands in the process: `rollout/restart`, `finally/report`. */
  path: string;
  operator: CompiledOperator;
  /** The links that the drawing alone does not show: `← deploy.failed, soak`. */
  links: string[];
}

/**
 * Draws a graph as an outline: what always runs after an operator stands below it, branches are indented,
 * and where branches merge again the outline goes on where they parted.
 */
export function outline(scope: CompiledScope, prefix = '', rails = ''): OutlineLine[] {
  const children = childrenByDominator(scope);
  return drawChildren(undefined, children, scope, prefix, rails);
}

type Children = ReadonlyMap<CompiledOperator | undefined, CompiledOperator[]>;

/** An operator belongs below the last one through which every way to it leads. */
function childrenByDominator(scope: CompiledScope): Children {
  const dominator = new Map<CompiledOperator, CompiledOperator | undefined>();
  const depth = new Map<CompiledOperator, number>();
  const children = new Map<CompiledOperator | undefined, CompiledOperator[]>();
  for (const operator of scope.operators) {
    const sources = sourcesOf(operator, scope);
    const found = sources.reduce<CompiledOperator | undefined>(
      (common, source) => meet(common, source, dominator, depth),
      sources[0],
    );
    dominator.set(operator, found);
    depth.set(operator, found ? (depth.get(found) ?? 0) + 1 : 0);
    children.set(found, [...(children.get(found) ?? []), operator]);
  }
  return children;
}

function sourcesOf(operator: CompiledOperator, scope: CompiledScope): CompiledOperator[] {
  return [...new Set(operator.after.map(({ from }) => from))].flatMap((name) => scope.byName.get(name) ?? []);
}

function meet(
  one: CompiledOperator | undefined,
  other: CompiledOperator | undefined,
  dominator: ReadonlyMap<CompiledOperator, CompiledOperator | undefined>,
  depth: ReadonlyMap<CompiledOperator, number>,
): CompiledOperator | undefined {
  let left = one;
  let right = other;
  while (left !== right) {
    if (!left || !right) return undefined;
    if ((depth.get(left) ?? 0) >= (depth.get(right) ?? 0)) left = dominator.get(left);
    else right = dominator.get(right);
  }
  return left;
}

function drawChildren(
  parent: CompiledOperator | undefined,
  children: Children,
  scope: CompiledScope,
  prefix: string,
  rails: string,
): OutlineLine[] {
  const below = children.get(parent) ?? [];
  const isBranch = (operator: CompiledOperator) => sourcesOf(operator, scope).every((source) => source === parent);
  const branches = below.filter(isBranch);
  const merges = below.filter((operator) => !isBranch(operator));
  const nested = branches.length > 1 || (branches.length === 1 && merges.length > 0);
  return [
    ...branches.flatMap((operator, index) => {
      if (!nested) return drawOperator(operator, parent, children, scope, prefix, rails, rails);
      const last = index === branches.length - 1 && merges.length === 0;
      return drawOperator(
        operator,
        parent,
        children,
        scope,
        prefix,
        `${rails}${last ? '└─' : '├─'}`,
        `${rails}${last ? '  ' : '│ '}`,
      );
    }),
    ...merges.flatMap((operator) => drawOperator(operator, parent, children, scope, prefix, rails, rails)),
  ];
}

function drawOperator(
  operator: CompiledOperator,
  parent: CompiledOperator | undefined,
  children: Children,
  scope: CompiledScope,
  prefix: string,
  rails: string,
  railsBelow: string,
): OutlineLine[] {
  const path = `${prefix}${operator.name}`;
  const line: OutlineLine = { rails, path, operator, links: shownLinks(operator, parent) };
  const inner = operator.scope ? outline(operator.scope, `${path}/`, `${railsBelow}┊ `) : [];
  return [line, ...inner, ...drawChildren(operator, children, scope, prefix, railsBelow)];
}

function shownLinks(operator: CompiledOperator, parent: CompiledOperator | undefined): string[] {
  const [only] = operator.after;
  if (operator.after.length === 0) return [];
  if (operator.after.length === 1 && only?.on === 'completed' && only.from === parent?.name) return [];
  return operator.after.map(linkText);
}

function linkText(link: CompiledLink): string {
  if (link.on === 'completed') return link.from;
  return `${link.from}.${link.on === 'outcome' ? (link.outcome ?? '') : link.on}`;
}
