const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const whole = /^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/;
const part = /(\d+(?:\.\d+)?)(ms|[smhdw])/g;

/** The longest a duration may be: ten years. */
const maximumDuration = 3_653 * 86_400_000;

export const durationRemedy = 'Write a number with its unit (ms, s, m, h, d, w), such as 500ms, 30s, 15m or 1h30m.';

/** `1h30m` in milliseconds; undefined: not a duration. */
export function parseDuration(text: string): number | undefined {
  if (!whole.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(part)) total += Number(amount) * (units[unit ?? ''] ?? Number.NaN);
  return Number.isFinite(total) && total <= maximumDuration ? Math.round(total) : undefined;
}
