import { parseDuration } from '../definition/duration.js';
import type { Json } from '../json.types.js';

/** `15m`, or a number of seconds, in milliseconds; undefined when it is neither. */
export function durationOf(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value >= 0 ? Math.round(value * 1000) : undefined;
  return typeof value === 'string' ? parseDuration(value.trim()) : undefined;
}
