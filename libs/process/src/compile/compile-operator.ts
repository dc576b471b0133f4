import type { Path } from '../definition/definition-text.js';
import type { Json, JsonObject } from '../json.types.js';
import type { OperatorDescriptor } from '../operators/operator-descriptor.types.js';
import { compileCompensate, compileVerify } from './compile-auxiliary.js';
import { compileBody, compileOutcomes } from './compile-body.js';
import type { CompileContext } from './compile-context.js';
import { compileForEach, loopRoots } from './compile-loop.js';
import type { CompiledLink, CompiledOperator, CompiledScope } from './compiled.types.js';
import { isMap, type ScopeNode } from './links.js';
import { checkShape } from './operator-shape.js';
import { type Place, type ScopeView, withProven, withRoots } from './place.js';

/** Compiles the operators of a group: given, because a scope is made of operators in turn. */
export type CompileGroup = (
  context: CompileContext,
  operators: JsonObject,
  path: Path,
  place: Place,
) => { scope: CompiledScope; view: ScopeView };

/** An operator of a graph. `place`: what an expression beside its links may see. */
export function compileOperator(
  context: CompileContext,
  node: ScopeNode,
  index: number,
  place: Place,
  compileGroup: CompileGroup,
): CompiledOperator | undefined {
  const { raw, path } = node;
  const descriptor = checkShape(context, raw, path);
  if (!descriptor) return undefined;
  checkLinks(context, node, descriptor);
  const after = withProven(place, context.provenBy(raw['when']));
  const body = bodyPlace(after, raw);
  const forEach = compileForEach(context, raw['forEach'], after, [...path, 'forEach']);
  return {
    ...linking(node, index),
    ...(raw['when'] === undefined ? {} : { when: context.expression(raw['when'], place, [...path, 'when']) }),
    ...(forEach ? { forEach } : {}),
    ...compileBody(context, raw, descriptor, body, path),
    outcomes: compileOutcomes(
      context,
      raw,
      descriptor,
      forEach ? withRoots(after, ['output']) : withRoots(body, ['output']),
      path,
    ),
    ...auxiliaries(context, raw, body, path),
    ...groupParts(context, raw, descriptor, body, path, compileGroup),
  };
}

function linking(
  node: ScopeNode,
  index: number,
): Pick<CompiledOperator, 'name' | 'index' | 'after' | 'successors' | 'join' | 'cancelRest'> {
  const join = node.raw['join'];
  return {
    name: node.name,
    index,
    after: unique(node.after),
    successors: node.successors,
    join: join === 'any' || join === 'settled' ? join : 'all',
    cancelRest: node.raw['cancelRest'] === true,
  };
}

function unique(links: readonly CompiledLink[]): CompiledLink[] {
  const seen = new Map(links.map((link) => [`${link.from}.${link.on}.${link.outcome ?? ''}`, link]));
  return [...seen.values()];
}

/** Within the operator: its loop's item, its round, its idempotency key. */
function bodyPlace(place: Place, raw: JsonObject): Place {
  const inLoop = withRoots(place, [...loopRoots(raw['forEach']), 'operator']);
  return raw['repeat'] === undefined ? inLoop : withRoots(inLoop, ['iteration'], ['previous']);
}

function auxiliaries(context: CompileContext, raw: JsonObject, place: Place, path: Path) {
  const verify = compileVerify(context, raw['verify'], place, [...path, 'verify']);
  const compensate = compileCompensate(context, raw['compensate'], whenUndone(place), [...path, 'compensate']);
  return { ...(verify ? { verify } : {}), ...(compensate ? { compensate } : {}) };
}

/** What is undone has completed: its output is `output`, and can also be read by its name. */
function whenUndone(place: Place): Place {
  const [own, ...outer] = place.scopes;
  const seen = withRoots(place, ['output']);
  if (!own?.self) return seen;
  const { self, nodes } = own;
  const view: ScopeView = {
    nodes,
    certain: (name, fact) => (name === self && fact !== 'failed') || own.certain(name, fact),
  };
  return { ...seen, scopes: [view, ...outer] };
}

function groupParts(
  context: CompileContext,
  raw: JsonObject,
  descriptor: OperatorDescriptor,
  place: Place,
  path: Path,
  compileGroup: CompileGroup,
) {
  if (descriptor.type !== 'group') return {};
  const operators: Json = raw['operators'] ?? {};
  const { scope, view } = compileGroup(context, isMap(operators) ? operators : {}, [...path, 'operators'], place);
  const outputs = raw['outputs'];
  const atEnd: Place = { ...place, scopes: [view, ...place.scopes] };
  return {
    scope,
    ...(outputs === undefined ? {} : { outputs: context.template(outputs, atEnd, [...path, 'outputs']) }),
  };
}

function checkLinks(context: CompileContext, node: ScopeNode, descriptor: OperatorDescriptor): void {
  const { raw, path, name } = node;
  if (raw['cancelRest'] === true && raw['join'] !== 'any')
    context.faults.error(
      [...path, 'cancelRest'],
      '`cancelRest` belongs to `join: any`.',
      'Add `join: any`, or remove it.',
      'key',
    );
  if (raw['join'] !== undefined && node.after.length < 2 && Array.isArray(raw['after']) && raw['after'].length < 2)
    context.faults.warning(
      [...path, 'join'],
      `"${name}" joins fewer than two links.`,
      'Remove `join`, or add the other links.',
      'key',
    );
  if (descriptor.type === 'decision' && node.successors.length === 0)
    context.faults.warning(
      path,
      `Nothing follows the decision "${name}".`,
      'Link to its outcomes: `after: [NAME.OUTCOME]`.',
      'key',
    );
}
