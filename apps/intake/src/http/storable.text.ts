import type { JsonValue } from '@baton/contracts';

/** NUL bytes and lone surrogates, which PostgreSQL cannot store as text. */
const notStorable = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** Text as it can be stored and read back: what cannot be is written out (`\u0000`, `\ud83d`). */
export function storableText(text: string): string {
  return text.replace(notStorable, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same for all texts and names within a value. */
export function storable(value: JsonValue): JsonValue {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [storableText(key), storable(part)]));
}
