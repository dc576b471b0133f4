import type { Json } from '@baton/process';

const deepest = 64;

/** What came from outside and does not fit into an event. A known failure: the answer is there, and cannot be kept. */
export class NotStorable extends Error {
  override name = 'NotStorable';
}

/** NUL bytes and lone surrogates cannot be stored by PostgreSQL: they stand in the log as their JSON escapes, readable. */
export function storableText(text: string): string {
  if (!text.includes('\u0000') && text.isWellFormed()) return text;
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the NUL byte is what is looked for
    /\u0000|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A parsed value as the log can hold it. Walks with a limit, so that depth from outside never becomes ours. */
export function storableJson(value: unknown, depth = 0): Json {
  if (typeof value === 'string') return storableText(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value === undefined) return null;
  if (depth >= deepest) throw new NotStorable(`it is nested more than ${deepest} levels deep`);
  if (Array.isArray(value)) return value.map((part) => storableJson(part, depth + 1));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'object') {
    const copy: { [key: string]: Json } = Object.create(null);
    for (const [key, part] of Object.entries(value))
      if (part !== undefined) copy[storableText(key)] = storableJson(part, depth + 1);
    return { ...copy };
  }
  return null;
}

/** JSON from outside: integers beyond 2^53 stay text, so that no digit is lost. Undefined when it is no JSON. */
export function parseJson(text: string): Json | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text, (_key, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' && /^-?\d+$/.test(context?.source ?? '') && !Number.isSafeInteger(value)
        ? (context?.source ?? value)
        : value,
    );
  } catch (error) {
    // A text deeper than the reviver's stack is JSON, but none that can be kept.
    if (error instanceof RangeError) throw new NotStorable(`it is nested more than ${deepest} levels deep`);
    return undefined;
  }
  return storableJson(parsed);
}
