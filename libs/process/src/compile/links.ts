import type { Path } from '../definition/definition-text.js';
import type { JsonObject } from '../json.types.js';
import type { CompiledLink } from './compiled.types.js';
import type { FaultList } from './fault-list.js';
import { listed, suggest } from './suggestion.js';

export const linkSuffixes: ReadonlySet<string> = new Set(['failed', 'skipped', 'any']);

/** An operator of a scope as written, with what is known of it before it is compiled. */
export interface ScopeNode {
  name: string;
  raw: JsonObject;
  path: Path;
  after: CompiledLink[];
  successors: string[];
}

/** Reads all links of a scope; links to nothing, to outcomes that do not exist, and to itself are faults. */
export function linkScope(operators: JsonObject, path: Path, faults: FaultList): Map<string, ScopeNode> {
  const nodes = new Map<string, ScopeNode>();
  for (const [name, raw] of Object.entries(operators))
    if (isMap(raw)) nodes.set(name, { name, raw, path: [...path, name], after: [], successors: [] });
  for (const node of nodes.values())
    for (const [index, entry] of linkTexts(node.raw).entries()) {
      const place = Array.isArray(node.raw['after']) ? [...node.path, 'after', index] : [...node.path, 'after'];
      const link = readLink(entry, node, nodes, place, faults);
      if (link) node.after.push(link);
    }
  for (const node of nodes.values())
    for (const { from } of node.after) {
      const source = nodes.get(from);
      if (source && !source.successors.includes(node.name)) source.successors.push(node.name);
    }
  return nodes;
}

function linkTexts(raw: JsonObject): string[] {
  const after = raw['after'];
  if (typeof after === 'string') return [after];
  return Array.isArray(after) ? after.filter((entry) => typeof entry === 'string') : [];
}

function readLink(
  entry: string,
  node: ScopeNode,
  nodes: ReadonlyMap<string, ScopeNode>,
  path: Path,
  faults: FaultList,
): CompiledLink | undefined {
  const dot = entry.indexOf('.');
  const from = dot < 0 ? entry : entry.slice(0, dot);
  const suffix = dot < 0 ? undefined : entry.slice(dot + 1);
  const source = nodes.get(from);
  if (!source) {
    faults.error(
      path,
      `There is no operator "${from}" beside "${node.name}".`,
      suggest(
        from,
        nodes.keys(),
        'Link to an operator of the same group, or of the definition if this one stands there.',
      ),
    );
    return undefined;
  }
  if (source === node) {
    faults.error(path, `"${node.name}" links to itself.`, 'Remove the link; to do something again, use `repeat`.');
    return undefined;
  }
  if (suffix === undefined) return { from, on: 'completed' };
  if (suffix === 'failed' || suffix === 'skipped' || suffix === 'any') return { from, on: suffix };
  return readOutcomeLink(source, suffix, path, faults);
}

function readOutcomeLink(source: ScopeNode, outcome: string, path: Path, faults: FaultList): CompiledLink | undefined {
  const outcomes = outcomeNames(source.raw);
  if (outcomes.includes(outcome)) return { from: source.name, on: 'outcome', outcome };
  const known = [...outcomes, ...linkSuffixes];
  faults.error(
    path,
    `"${source.name}" has no outcome "${outcome}".`,
    suggest(outcome, known, `It has: ${listed(known)}. Add the outcome to its \`outcomes\`, or correct the link.`),
  );
  return undefined;
}

export function outcomeNames(raw: JsonObject): string[] {
  const outcomes = raw['outcomes'];
  return isMap(outcomes) ? Object.keys(outcomes) : [];
}

export function isMap(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
