import type { Json, JsonObject } from '../json.types.js';
import type { CompiledDefinition } from './compiled.types.js';
import type { FaultList } from './fault-list.js';
import { checkAgainstSchema, checkJsonSchema } from './json-schema-check.js';
import { isMap } from './links.js';
import { suggest } from './suggestion.js';

export interface InputError {
  path: string; // inputs.hosts[0]
  message: string;
}

export function checkInputSchemas(inputs: JsonObject, faults: FaultList): void {
  for (const [name, schema] of Object.entries(inputs)) {
    if (!checkJsonSchema(faults, schema, ['inputs', name])) continue;
    if (!isMap(schema) || schema['default'] === undefined) continue;
    for (const { path, message } of validateOne(name, schema, schema['default']))
      faults.error(
        ['inputs', name, 'default'],
        `The default does not fit: ${path} ${message}.`,
        'Correct the default or the schema.',
      );
  }
}

export function inputNamesOf(inputs: JsonObject): string[] {
  return Object.keys(inputs);
}

export function requiredInputsOf(inputs: JsonObject): string[] {
  return Object.entries(inputs)
    .filter(([, schema]) => !isMap(schema) || schema['default'] === undefined)
    .map(([name]) => name);
}

function validateOne(name: string, schema: JsonObject, value: Json): InputError[] {
  return checkAgainstSchema(schema, value).map(({ path, message }) => ({
    path: `inputs.${name}${path === '' || path.startsWith('[') ? path : `.${path}`}`,
    message,
  }));
}

/** Checks the inputs of a request and fills in the defaults; every error at once. */
export function checkInputs(
  definition: Pick<CompiledDefinition, 'inputs' | 'requiredInputs'>,
  given: JsonObject,
): { inputs: JsonObject } | { errors: InputError[] } {
  const errors: InputError[] = [];
  const inputs: JsonObject = {};
  for (const name of Object.keys(given))
    if (!Object.hasOwn(definition.inputs, name))
      errors.push({
        path: `inputs.${name}`,
        message: `There is no such input. ${suggest(name, Object.keys(definition.inputs), `The definition takes: ${Object.keys(definition.inputs).join(', ') || 'none'}.`)}`,
      });
  for (const [name, schema] of Object.entries(definition.inputs)) {
    if (!isMap(schema)) continue;
    const value = Object.hasOwn(given, name) ? given[name] : schema['default'];
    if (value === undefined) errors.push({ path: `inputs.${name}`, message: 'is missing; it has no default' });
    else {
      inputs[name] = value;
      errors.push(...validateOne(name, schema, value));
    }
  }
  return errors.length > 0 ? { errors } : { inputs };
}
