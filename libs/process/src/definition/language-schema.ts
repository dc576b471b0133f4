import { z } from 'zod';
import type { Json, JsonObject } from '../json.types.js';
import type { OperatorDescriptor } from '../operators/operator-descriptor.types.js';
import { commonFields, definitionSchema } from './definition.schema.js';
import { unavailableDefinitionFields, unavailableFields } from './unavailable.js';

/** The JSON Schema of the language, for editors: made from the schemas that publish checks with. */
export function languageSchema(operators: Iterable<OperatorDescriptor>): JsonObject {
  const types = [...operators];
  const definition = jsonSchemaOf(z.strictObject(without(unavailableDefinitionFields, definitionSchema.shape)));
  const properties = record(definition['properties']);
  const common = record(
    jsonSchemaOf(z.object(without(new Set([...unavailableFields, 'type']), commonFields.shape)))['properties'],
  );
  const scope: JsonObject = {
    type: 'object',
    additionalProperties: { $ref: '#/$defs/Operator' },
    propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,62}$' },
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A process definition of Baton',
    ...definition,
    properties: {
      ...properties,
      operators: { ...scope, description: 'The graph.' },
      finally: { ...scope, description: 'Runs once on every end.' },
    },
    patternProperties: { '^x-': true },
    $defs: {
      ...Object.fromEntries(Object.entries(common).map(([name, schema]) => [fieldName(name), schema])),
      Operator: { oneOf: types.map(({ type }) => ({ $ref: `#/$defs/${defName(type)}` })) },
      ...Object.fromEntries(types.map((descriptor) => [defName(descriptor.type), operatorSchema(descriptor, common)])),
    },
  };
}

function operatorSchema(descriptor: OperatorDescriptor, common: JsonObject): JsonObject {
  const own = jsonSchemaOf(descriptor.fields);
  const ownProperties = Object.fromEntries(
    Object.entries(record(own['properties'])).map(([name, schema]) => [name, withTemplate(schema)]),
  );
  if (descriptor.type === 'group')
    ownProperties['operators'] = { type: 'object', additionalProperties: { $ref: '#/$defs/Operator' } };
  const auxiliary: JsonObject = { $ref: '#/$defs/Operator' };
  return {
    type: 'object',
    description: descriptor.summary,
    properties: {
      type: { const: descriptor.type, description: descriptor.summary },
      ...ownProperties,
      ...Object.fromEntries(Object.keys(common).map((name) => [name, { $ref: `#/$defs/${fieldName(name)}` }])),
      verify: auxiliary,
      compensate: auxiliary,
      onUnknown: { type: 'boolean', description: 'In `compensate`: also when nobody knows whether it happened.' },
    },
    required: ['type', ...(Array.isArray(own['required']) ? own['required'] : [])],
    patternProperties: { '^x-': true },
    additionalProperties: false,
  };
}

/** A `${{ }}` text may stand for any value of a type's own fields. */
function withTemplate(schema: Json): Json {
  const { description, ...rest } = record(schema);
  if (Object.keys(rest).length === 0 || rest['type'] === 'string') return schema;
  const template: JsonObject = { type: 'string', pattern: '\\$\\{\\{' };
  return { ...(description === undefined ? {} : { description }), anyOf: [rest, template] };
}

function jsonSchemaOf(schema: z.ZodType): JsonObject {
  const made = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  });
  const plain: Json = JSON.parse(JSON.stringify(made)) as Json;
  const { $schema: _, ...rest } = record(inlined(plain, record(record(plain)['$defs'])));
  const { $defs: __, ...body } = rest;
  return body;
}

/** Named parts are written where they are used: the names of several schemas would meet else. */
function inlined(value: Json, definitions: JsonObject): Json {
  if (Array.isArray(value)) return value.map((item) => inlined(item, definitions));
  if (typeof value !== 'object' || value === null) return value;
  const reference = value['$ref'];
  const name = typeof reference === 'string' ? /^#\/\$defs\/(.+)$/.exec(reference)?.[1] : undefined;
  if (name !== undefined && definitions[name] !== undefined) {
    const target = record(definitions[name]);
    const { $ref: _, ...rest } = value;
    return isAnything(target) ? rest : { ...record(inlined(target, definitions)), ...rest };
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'id')
      .map(([key, item]) => [key, inlined(item, definitions)]),
  );
}

/** The schema of any JSON value refers to itself: for an editor it is no restriction at all. */
function isAnything(schema: JsonObject): boolean {
  return JSON.stringify(schema).includes('"#/$defs/');
}

function record(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function without(names: ReadonlySet<string>, shape: Record<string, z.ZodType>): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(shape).filter(([name]) => !names.has(name)));
}

function fieldName(name: string): string {
  return `field-${name}`;
}

function defName(type: string): string {
  return `operator-${type}`;
}
