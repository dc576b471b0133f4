import type { Json } from '../json.types.js';

/** How a value is written into text: text as it is, all else as JSON. */
export function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
