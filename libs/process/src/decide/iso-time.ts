const milliseconds = Array.from({ length: 1000 }, (_, n) => `${String(n).padStart(3, '0')}Z`);
let second = Number.NaN;
let upToSecond = '';

/**
 * ms since 1970, of which parts of one do not count. Many are asked for within one second: what they share is kept, which
 * takes a tenth of the time that a Date takes for each.
 */
export function isoTime(time: number): string {
  const ms = Math.trunc(time);
  const whole = Math.floor(ms / 1000);
  if (whole !== second) {
    upToSecond = new Date(whole * 1000).toISOString().slice(0, -'000Z'.length);
    second = whole;
  }
  return upToSecond + milliseconds[ms - whole * 1000];
}
