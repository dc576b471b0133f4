import type { Path } from '../definition/definition-text.js';
import type { Json, JsonObject } from '../json.types.js';
import type { OperatorDescriptor } from '../operators/operator-descriptor.types.js';
import { compileBody, compileOutcomes } from './compile-body.js';
import type { CompileContext } from './compile-context.js';
import type { CompiledOperator } from './compiled.types.js';
import { isMap } from './links.js';
import { checkShape } from './operator-shape.js';
import { type Place, withRoots } from './place.js';

/** What belongs to a place in a graph, which an undo or a verification does not have. */
const graphFields = ['after', 'join', 'cancelRest', 'when', 'forEach', 'repeat', 'compensate', 'verify', 'warnAfter'];

/** The undo of an operator; it sees the operator's output as `output`. */
export function compileCompensate(
  context: CompileContext,
  value: Json | undefined,
  place: Place,
  path: Path,
): CompiledOperator['compensate'] {
  if (!isMap(value)) return undefined;
  const onUnknown = value['onUnknown'];
  if (onUnknown !== undefined && typeof onUnknown !== 'boolean')
    context.faults.error(
      [...path, 'onUnknown'],
      '`onUnknown` must be true or false.',
      'true: it is also undone when nobody knows whether it happened.',
    );
  const compiled = compileAuxiliary(context, value, 'compensate', ['onUnknown'], place, path);
  return compiled && { ...compiled, onUnknown: onUnknown === true };
}

/** Finds out whether an effect happened: its outcome is `happened` or `not-happened`. */
export function compileVerify(
  context: CompileContext,
  value: Json | undefined,
  place: Place,
  path: Path,
): CompiledOperator | undefined {
  if (!isMap(value)) return undefined;
  const type = value['type'];
  const descriptor = typeof type === 'string' ? context.registry.get(type) : undefined;
  const outcomes = value['outcomes'];
  if (outcomes === undefined && descriptor && !descriptor.verifiedBy)
    context.faults.error(
      path,
      'The verification does not say what its output means.',
      'Add `outcomes: { happened: EXPRESSION, not-happened: EXPRESSION }`, over `output`.',
      'key',
    );
  for (const name of isMap(outcomes) ? Object.keys(outcomes) : [])
    if (name !== 'happened' && name !== 'not-happened')
      context.faults.error(
        [...path, 'outcomes', name],
        `A verification has no outcome "${name}".`,
        'It has two: happened and not-happened.',
        'key',
      );
  const answered: JsonObject = {
    ...value,
    outcomes: outcomes ?? { happened: descriptor?.verifiedBy ?? 'false', 'not-happened': 'else' },
    expect: value['expect'] ?? true, // its outcomes judge the output: a 404 may well be the answer
  };
  return compileAuxiliary(context, answered, 'verify', [], place, path);
}

function compileAuxiliary(
  context: CompileContext,
  value: JsonObject,
  name: 'compensate' | 'verify',
  own: readonly string[],
  place: Place,
  path: Path,
): CompiledOperator | undefined {
  const descriptor = checkShape(context, value, path, own);
  if (!descriptor) return undefined;
  refuseGraphFields(context, value, descriptor, name, path);
  const body = withRoots(place, ['operator']);
  const raw =
    name === 'verify' && value['recovery'] === undefined && !descriptor.defaultRecovery?.(value)
      ? { ...value, recovery: 'rerun' }
      : value;
  return {
    name,
    index: 0,
    after: [],
    successors: [],
    join: 'all',
    cancelRest: false,
    ...compileBody(context, descriptor.class === 'effect' ? raw : value, descriptor, body, path),
    outcomes: compileOutcomes(context, value, descriptor, withRoots(body, ['output']), path),
  };
}

function refuseGraphFields(
  context: CompileContext,
  value: JsonObject,
  descriptor: OperatorDescriptor,
  name: string,
  path: Path,
): void {
  for (const field of graphFields)
    if (value[field] !== undefined)
      context.faults.error([...path, field], `\`${field}\` cannot stand in \`${name}\`.`, 'Remove it.', 'key');
  if (value['recovery'] === 'verify')
    context.faults.error([...path, 'recovery'], `\`${name}\` cannot be verified in turn.`, 'State rerun, fail or ask.');
  if (descriptor.type === 'group' || descriptor.type === 'decision')
    context.faults.error(
      [...path, 'type'],
      `A ${descriptor.type} cannot stand in \`${name}\`.`,
      'Run a definition of its own for it: `type: process`.',
    );
}
