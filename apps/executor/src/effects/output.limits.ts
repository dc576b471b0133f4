import type { Json } from '@baton/process';

export const longestData = 256 * 1024;
export const deepestData = 64;

export class OutputTooDeep extends Error {
  override name = 'OutputTooDeep';
}

/**
 * Makes text from outside storable (design 2, "Data"): NUL bytes and lone surrogates are escaped, depth is limited,
 * integers beyond 2^53 become text, and what JSON has no word for (undefined, NaN) becomes null.
 */
export function makeStorable(value: unknown, depth = 0): Json {
  if (depth > deepestData)
    throw new OutputTooDeep(`the output is nested more than ${deepestData} levels deep; return a flatter value`);
  if (typeof value === 'string') return storableText(value);
  if (typeof value === 'number') return storableNumber(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => makeStorable(item, depth + 1));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'object') {
    const result: { [key: string]: Json } = {};
    for (const [name, item] of Object.entries(value))
      if (item !== undefined && typeof item !== 'function')
        Object.defineProperty(result, storableText(name), {
          value: makeStorable(item, depth + 1),
          enumerable: true,
          writable: true,
          configurable: true,
        });
    return result;
  }
  return null;
}

function storableNumber(value: number): Json {
  if (!Number.isFinite(value)) return null;
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return String(value);
  return Object.is(value, -0) ? 0 : value;
}

/** `\u0000` and `\ud800` as they would stand in source: readable, storable, and plain that something was there. */
function storableText(text: string): string {
  if (!text.includes('\0') && text.isWellFormed()) return text;
  let result = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isLoneSurrogate = code >= 0xd800 && code <= 0xdfff;
    result += code === 0 || isLoneSurrogate ? `\\u${code.toString(16).padStart(4, '0')}` : character;
  }
  return result;
}

/** Data from outside names no secret and no artifact of ours: the markers that do are Baton's own. */
export function withoutMarkers(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutMarkers);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name === '$secret' || name === '$artifact' ? `\\${name}` : name,
      withoutMarkers(item),
    ]),
  );
}
