import type { Path } from '../definition/definition-text.js';
import { capturing } from '../expressions/captured-expression.js';
import type { Template } from '../expressions/expression.types.js';
import type { Json, JsonObject } from '../json.types.js';
import type { OperatorDescriptor } from '../operators/operator-descriptor.types.js';
import type { CompileContext } from './compile-context.js';
import { checkJsonSchema } from './json-schema-check.js';
import { type Place, withRoots } from './place.js';
import { suggest } from './suggestion.js';

/** The type's own fields, each a template; secrets only where the descriptor allows them. */
export function compileFields(
  context: CompileContext,
  raw: JsonObject,
  descriptor: OperatorDescriptor,
  place: Place,
  path: Path,
): Record<string, Template> {
  const fields: Record<string, Template> = {};
  for (const name of Object.keys(descriptor.fields.shape)) {
    const value = raw[name];
    if (value === undefined || (descriptor.type === 'group' && (name === 'operators' || name === 'outputs'))) continue;
    const beside = descriptor.expressionFields?.[name];
    if (beside !== undefined) {
      const condition = context.expression(value, withRoots(place, beside), [...path, name]);
      fields[name] = capturing(condition, beside);
      continue;
    }
    fields[name] = context.template(value, place, [...path, name], (within) =>
      mayHoldSecret(descriptor, [name, ...within]),
    );
  }
  checkFields(context, raw, descriptor, place, path);
  return fields;
}

/** `headers.*` allows every header and what is in it. */
function mayHoldSecret(descriptor: OperatorDescriptor, path: readonly (string | number)[]): boolean {
  return descriptor.secretFields.some((pattern) => {
    const parts = pattern.split('.');
    return parts.length <= path.length && parts.every((part, index) => part === '*' || part === String(path[index]));
  });
}

function checkFields(
  context: CompileContext,
  raw: JsonObject,
  descriptor: OperatorDescriptor,
  place: Place,
  path: Path,
): void {
  for (const { field, message, remedy } of descriptor.check?.(raw) ?? [])
    context.faults.error([...path, ...fieldPath(field)], message, remedy);
  for (const field of descriptor.schemaFields ?? [])
    if (raw[field] !== undefined) checkJsonSchema(context.faults, raw[field], [...path, field]);
  for (const { field, operator } of descriptor.operatorNames?.(raw) ?? []) {
    const names = place.scopes.flatMap(({ nodes }) => [...nodes.keys()]);
    if (!names.includes(operator))
      context.faults.error(
        [...path, ...fieldPath(field)],
        `There is no operator "${operator}" that can be read here.`,
        suggest(operator, names, 'Correct the name.'),
      );
  }
  refuseMarkers(context, raw, descriptor, path);
}

function refuseMarkers(context: CompileContext, raw: JsonObject, descriptor: OperatorDescriptor, path: Path): void {
  for (const name of Object.keys(descriptor.fields.shape)) {
    const found = markerIn(raw[name], [name]);
    if (found && !(descriptor.type === 'group' && name === 'operators'))
      context.faults.error(
        [...path, ...found],
        'Keys that begin with $secret or $artifact belong to Baton itself.',
        'Write ${{ secrets.NAME }} for a secret, or choose another key.',
        'key',
      );
  }
}

function markerIn(value: Json | undefined, path: readonly (string | number)[]): (string | number)[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const place = [...path, Array.isArray(value) ? Number(key) : key];
    if (!Array.isArray(value) && (key === '$secret' || key === '$artifact')) return place;
    const found = markerIn(item, place);
    if (found) return found;
  }
  return undefined;
}

/** `assign.notBy[0]` as a path. */
function fieldPath(field: string): (string | number)[] {
  return field
    .split(/\.|\[|\]/)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
