import { parseDuration } from '../definition/duration.js';
import type { Json } from '../json.types.js';

/** `15m`, or a number of seconds, in milliseconds; undefined when it is neither. */
export function durationOf(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value >= 0 ? Math.round(value * 1000) : undefined;
  return typeof value === 'string' ? parseDuration(value.trim()) : undefined;
}

let lastTime = { ms: Number.NaN, text: '' };
/** ms since 1970, of which parts of one do not count. Many are asked for within one millisecond. */
export function isoTime(time: number): string {
  const ms = Math.trunc(time);
  if (ms !== lastTime.ms) lastTime = { ms, text: new Date(ms).toISOString() };
  return lastTime.text;
}
