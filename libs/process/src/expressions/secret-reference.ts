import type { Json, JsonObject } from '../json.types.js';
import type { SecretReference } from './expression.types.js';

export type SecretPart = string | { name: string } | { sealed: string };

const marker = '$secret';

/** A sealed output, as events hold it: the only marker that may come out of a process's data. */
export function sealedText(value: Json): string | undefined {
  if (!isObject(value) || !Object.hasOwn(value, marker)) return undefined;
  const content = value[marker];
  return isObject(content) && typeof content['sealed'] === 'string' ? content['sealed'] : undefined;
}

/**
 * Data from outside must not name a secret: an input `{"$secret": "NAME"}` would be resolved like one that the
 * definition asks for. Returns the path of such a marker.
 */
export function forgedSecret(value: Json, path = ''): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value) && Object.hasOwn(value, marker)) return sealedText(value) === undefined ? path : undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = forgedSecret(item, path === '' ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function secretReference(name: string): JsonObject {
  return { [marker]: name };
}

export function textWithSecrets(parts: readonly SecretPart[]): JsonObject {
  const reference: SecretReference = { $secret: { parts: merged(parts) } };
  return { [marker]: reference.$secret };
}

function merged(parts: readonly SecretPart[]): SecretPart[] {
  const result: SecretPart[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (typeof part === 'string' && typeof last === 'string') result[result.length - 1] = last + part;
    else if (part !== '') result.push(part);
  }
  return result;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
