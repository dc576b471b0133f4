let lastTime = { ms: Number.NaN, text: '' };
/** ms since 1970, of which parts of one do not count. Many are asked for within one millisecond. */
export function isoTime(time: number): string {
  const ms = Math.trunc(time);
  if (ms !== lastTime.ms) lastTime = { ms, text: new Date(ms).toISOString() };
  return lastTime.text;
}
