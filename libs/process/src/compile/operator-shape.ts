import { z } from 'zod';
import { commonFields, operatorNamePattern } from '../definition/definition.schema.js';
import type { Path } from '../definition/definition-text.js';
import {
  unavailableFields,
  unavailableRemedy,
  unavailableSubfields,
  unavailableTypes,
} from '../definition/unavailable.js';
import type { JsonObject } from '../json.types.js';
import type { OperatorDescriptor } from '../operators/operator-descriptor.types.js';
import type { CompileContext } from './compile-context.js';
import { isMap, linkSuffixes } from './links.js';
import { checkSchema } from './schema-check.js';
import { listed, suggest } from './suggestion.js';

const reservedNames: ReadonlySet<string> = new Set(['compensate', 'verify', 'finally']);
const strictSchemas = new WeakMap<OperatorDescriptor, z.ZodType>();

/** The whole operator: what any may have, and the type's own fields. */
function operatorSchema(descriptor: OperatorDescriptor): z.ZodType {
  const known = strictSchemas.get(descriptor);
  if (known) return known;
  const schema = z.strictObject({ ...commonFields.shape, ...descriptor.fields.shape });
  strictSchemas.set(descriptor, schema);
  return schema;
}

/** The operator's type, if it is one; faults of shape are reported. `leaveOut`: fields that the caller looks at itself. */
export function checkShape(
  context: CompileContext,
  raw: JsonObject,
  path: Path,
  leaveOut: readonly string[] = [],
): OperatorDescriptor | undefined {
  const { faults } = context;
  const type = raw['type'];
  if (typeof type !== 'string') {
    faults.error(
      [...path, 'type'],
      'The operator has no type.',
      `Add \`type\`: ${listed(context.registry.keys())}.`,
      'key',
    );
    return undefined;
  }
  const shown = { ...raw };
  for (const field of leaveOut) delete shown[field];
  refuseUnavailable(context, type, shown, path);
  const descriptor = context.registry.get(type);
  if (!descriptor) {
    if (!unavailableTypes.has(type))
      faults.error(
        [...path, 'type'],
        `There is no operator type "${type}".`,
        suggest(type, context.registry.keys(), `The types are: ${listed(context.registry.keys())}.`),
      );
    return undefined;
  }
  checkSchema(operatorSchema(descriptor), shown, path, faults, {
    templates: true,
    what: `An operator of type ${type}`,
  });
  return descriptor;
}

function refuseUnavailable(context: CompileContext, type: string, shown: JsonObject, path: Path): void {
  if (unavailableTypes.has(type) && !context.registry.has(type))
    context.faults.error(
      [...path, 'type'],
      `The operator type "${type}" is not available in this version.`,
      unavailableRemedy,
    );
  for (const field of unavailableFields)
    if (shown[field] !== undefined && shown[field] !== false)
      context.faults.error(
        [...path, field],
        `\`${field}\` is not available in this version.`,
        unavailableRemedy,
        'key',
      );
  for (const [owner, fields] of Object.entries(unavailableSubfields)) {
    const within = owner === type ? shown : shown[owner];
    const prefix = owner === type ? path : [...path, owner];
    for (const field of fields) {
      if (!isMap(within) || within[field] === undefined) continue;
      context.faults.error(
        [...prefix, field],
        `\`${field}\` is not available in this version.`,
        unavailableRemedy,
        'key',
      );
      if (owner === type) delete shown[field];
      else shown[owner] = withoutField(within, field);
    }
  }
}

function withoutField(map: JsonObject, field: string): JsonObject {
  return Object.fromEntries(Object.entries(map).filter(([key]) => key !== field));
}

export function checkOperatorNames(context: CompileContext, operators: JsonObject, path: Path): void {
  for (const [name, raw] of Object.entries(operators)) {
    const place = [...path, name];
    if (reservedNames.has(name))
      context.faults.error(
        place,
        `"${name}" is a reserved name: it is part of operator paths.`,
        `Choose another name than ${listed(reservedNames)}.`,
        'key',
      );
    else if (!operatorNamePattern.test(name))
      context.faults.error(
        place,
        `"${name}" cannot be the name of an operator.`,
        'Begin with a letter or _, then at most 62 letters, digits, _ or -.',
        'key',
      );
    if (!isMap(raw))
      context.faults.error(place, `"${name}" is not an operator.`, 'Write a map with at least a `type`.');
  }
}

export function checkOutcomeNames(context: CompileContext, raw: JsonObject, path: Path): void {
  const outcomes = raw['outcomes'];
  if (!isMap(outcomes)) return;
  const names = Object.keys(outcomes);
  for (const [index, name] of names.entries()) {
    const place = [...path, 'outcomes', name];
    if (linkSuffixes.has(name))
      context.faults.error(
        place,
        `"${name}" cannot be an outcome: a link .${name} has a meaning of its own.`,
        'Choose another name.',
        'key',
      );
    else if (!operatorNamePattern.test(name))
      context.faults.error(
        place,
        `"${name}" cannot be the name of an outcome.`,
        'Begin with a letter or _, then at most 62 letters, digits, _ or -.',
        'key',
      );
    if (outcomes[name] === 'else' && index < names.length - 1)
      context.faults.error(
        place,
        '`else` must be the last outcome: those after it are never taken.',
        'Move it to the end.',
      );
  }
  if (names.length === 0)
    context.faults.error(
      [...path, 'outcomes'],
      'There are no outcomes.',
      'Name at least one: `outcomes: { yes: EXPRESSION, no: else }`.',
    );
}
