import { expect, it } from 'vitest';
import { isoTime } from './iso-time.js';

it('is the text of a time as a Date has it, whatever part of a millisecond comes along, in any order', () => {
  for (const ms of [1_700_000_000_000.2, 1_700_000_000_000.9, 1_700_000_000_001.1, 1_700_000_000_000, 0, -1.5, 1.5])
    expect(isoTime(ms)).toBe(new Date(ms).toISOString());
});
