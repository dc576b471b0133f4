import type { Json, JsonObject } from '../json.types.js';

/** What CEL works on: JSON with integers as BigInt; objects whose keys could be taken for members of their prototype as Map. */
export type CelValue = null | boolean | bigint | number | string | CelValue[] | { [key: string]: CelValue } | CelMap;
type CelMap = Map<string, CelValue>;

const maximumDepth = 64;

/** Lists and objects converted once stay converted: outputs and inputs never change. */
export class CelValueCache {
  readonly #typed = new WeakMap<object, CelValue>();
  readonly #untyped = new WeakMap<object, CelValue>();

  convert(value: Json, schema?: JsonObject): CelValue {
    if (typeof value !== 'object' || value === null) return scalarToCel(value, schema);
    const cache = schema ? this.#typed : this.#untyped; // one value may be read with and without its schema
    const known = cache.get(value);
    if (known !== undefined) return known;
    const converted = toCel(value, schema);
    cache.set(value, converted);
    return converted;
  }
}

/** `schema` decides whether a number is an int or a double; without one, integers are ints. */
export function toCel(value: Json, schema?: JsonObject): CelValue {
  if (typeof value !== 'object' || value === null) return scalarToCel(value, schema);
  if (Array.isArray(value)) return listToCel(value, schema);
  return objectToCel(value, schema);
}

function scalarToCel(value: null | boolean | number | string, schema?: JsonObject): CelValue {
  if (typeof value !== 'number') return value;
  return Number.isSafeInteger(value) && schema?.['type'] !== 'number' ? BigInt(value) : value;
}

function listToCel(list: Json[], schema?: JsonObject): CelValue {
  const items = asSchema(schema?.['items']);
  return list.map((item) => toCel(item, items));
}

function objectToCel(object: JsonObject, schema?: JsonObject): CelValue {
  const properties = asSchema(schema?.['properties']);
  const keys = Object.keys(object);
  const convertField = (key: string) =>
    toCel(
      object[key] ?? null,
      asSchema(properties && Object.hasOwn(properties, key) ? properties[key] : schema?.['additionalProperties']),
    );
  if (keys.some((key) => key in Object.prototype)) return new Map(keys.map((key) => [key, convertField(key)]));
  const converted: { [key: string]: CelValue } = {};
  for (const key of keys) converted[key] = convertField(key);
  return converted;
}

function asSchema(schema: Json | undefined): JsonObject | undefined {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema) ? schema : undefined;
}

/** Back to JSON. Integers beyond 2^53 become text; what has no JSON form is refused. */
export function fromCel(value: unknown, depth = 0): Json {
  if (depth > maximumDepth) throw new RangeError(`the result is nested deeper than ${maximumDepth} levels`);
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'bigint':
      return integerToJson(value);
    case 'number':
      if (Number.isFinite(value)) return value;
      throw new RangeError(`the result ${value} is not a number that JSON knows`);
    case 'object':
      return value === null ? null : objectFromCel(value, depth);
    default:
      throw new TypeError('the result is not a value');
  }
}

function integerToJson(value: bigint): Json {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString();
}

function objectFromCel(value: object, depth: number): Json {
  if (Array.isArray(value)) return value.map((item) => fromCel(item, depth + 1));
  if (value instanceof Date) return value.toISOString();
  const primitive = value.valueOf(); // cel-js does not export its classes of durations and unsigned integers
  if (typeof primitive === 'number') return durationText(primitive);
  if (typeof primitive === 'bigint') return integerToJson(primitive);
  if (value instanceof Uint8Array) return bytesToBase64(value);
  const entries = value instanceof Map ? [...value] : isPlain(value) ? Object.entries(value) : undefined;
  if (!entries) throw new TypeError('the result is not a value (a type or a namespace)');
  return Object.fromEntries(entries.map(([key, item]) => [String(key), fromCel(item, depth + 1)]));
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function durationText(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}

export function bytesToBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
