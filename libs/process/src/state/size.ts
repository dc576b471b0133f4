import type { Json } from '../json.types.js';

/** Bytes of a value as JSON, approximately, without writing it out. */
export function sizeOf(value: Json | undefined): number {
  if (value === undefined || value === null) return 4;
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object') return 8;
  let size = 2;
  if (Array.isArray(value)) {
    for (const item of value) size += sizeOf(item) + 1;
    return size;
  }
  for (const name in value) size += name.length + 4 + sizeOf(value[name]);
  return size;
}

/** Design 1, limits. */
export const maxStateBytes = 16 * 1024 * 1024;
export const maxItems = 100_000;
