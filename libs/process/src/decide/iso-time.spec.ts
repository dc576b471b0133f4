import { expect, it } from 'vitest';
import { isoTime } from './iso-time.js';

it('is the text of a time as a Date has it, whatever part of a millisecond comes along, in any order', () => {
  const now = 1_700_000_000_000;
  for (const ms of [
    now + 0.2,
    now + 0.9,
    now + 1.1,
    now,
    now + 999.9,
    now + 1000,
    now - 1,
    0,
    -1,
    -1.5,
    1.5,
    -1000,
    -1001,
  ])
    expect(isoTime(ms), String(ms)).toBe(new Date(ms).toISOString());
  expect(isoTime(253_402_300_800_000)).toBe(new Date(253_402_300_800_000).toISOString());
});

it('refuses what is no time, and is none the worse for it', () => {
  expect(() => isoTime(Number.NaN)).toThrow(RangeError);
  expect(() => isoTime(8.65e15)).toThrow(RangeError);
  expect(isoTime(1)).toBe('1970-01-01T00:00:00.001Z');
});
