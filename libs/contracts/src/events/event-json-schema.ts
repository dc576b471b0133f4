// `then` is a keyword of JSON Schema.
/* oxlint-disable unicorn/no-thenable */
import { z } from 'zod';
import { cloudEventType } from '../cloud-events/process-events.js';
import type { JsonRecord, JsonValue } from '../common.schemas.js';
import { mayGrow } from './event.fields.js';
import { publicEvents } from './public-events.js';

/** The JSON Schema (2020-12) of an event's data, complete in itself, as it is published under its type. */
export function eventJsonSchema(name: string): JsonRecord {
  const event = publicEvents[name];
  if (event === undefined) throw new Error(`There is no event ${name}.`);
  const type = cloudEventType(name);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `/schemas/${type}.json`,
    title: type,
    ...jsonSchemaOf(event.schema),
    description: event.meaning,
    examples: [event.example],
  };
}

/** A schema's JSON Schema with its named parts as `$defs`. */
export function jsonSchemaOf(schema: z.ZodType): JsonRecord {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return published(JSON.parse(JSON.stringify(rest)) as JsonRecord);
}

/** What zod says and consumers need not know is left out; what may grow is opened. */
function published(node: JsonRecord): JsonRecord {
  const { [mayGrow]: grows, id: _id, ...rest } = node;
  const told: JsonRecord = {};
  for (const [key, value] of Object.entries(rest)) {
    if (key === 'additionalProperties' && isEmpty(value)) continue;
    if (Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER) continue;
    if (key === 'propertyNames') continue;
    told[key] = publishedValue(key, value);
  }
  if (grows !== true) return told;
  return Array.isArray(rest['enum']) ? openChoice(told) : openUnion(told);
}

/** Keys of `properties` and `$defs` are names, not keywords. */
function publishedValue(key: string, value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item) => (isRecord(item) ? published(item) : item));
  if (!isRecord(value)) return value;
  if (key !== 'properties' && key !== '$defs') return published(value);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, isRecord(one) ? published(one) : one]));
}

/** `enum` would refuse the values of tomorrow. */
function openChoice({ enum: values, description, ...rest }: JsonRecord): JsonRecord {
  const known = Array.isArray(values) ? values.map((value) => `\`${String(value)}\``).join(', ') : '';
  const text = typeof description === 'string' ? `${description}: ` : '';
  return { ...rest, 'x-known-values': values ?? [], description: `${text}${known}; more may be added.` };
}

/** Each known kind is checked, an unknown one is no fault. */
function openUnion({ oneOf, ...rest }: JsonRecord): JsonRecord {
  const variants = (Array.isArray(oneOf) ? oneOf : []).flatMap((variant) => {
    const kind = isRecord(variant) && isRecord(variant['properties']) ? variant['properties']['kind'] : undefined;
    return isRecord(variant) && isRecord(kind) ? [{ variant, kind: kind['const'] ?? null }] : [];
  });
  return {
    ...rest,
    type: 'object',
    properties: { kind: { type: 'string', 'x-known-values': variants.map(({ kind }) => kind) } },
    required: ['kind'],
    allOf: variants.map(({ variant, kind }) => ({
      if: { properties: { kind: { const: kind } }, required: ['kind'] },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
      then: variant,
    })),
  };
}

function isRecord(value: JsonValue | undefined): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function isEmpty(value: JsonValue): boolean {
  return isRecord(value) && Object.keys(value).length === 0;
}
