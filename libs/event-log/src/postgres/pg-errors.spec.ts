import { expect, it } from 'vitest';
import { classifyAppendFailure } from './pg-errors.js';

const failure = (code: string) => Object.assign(new Error(code), { code });

it.each(['40P01', '57P01', '08006', '53100', 'ECONNRESET', 'XX000', '25006', '28P01'])(
  'concludes nothing from %s: the version decides',
  (code) => {
    expect(classifyAppendFailure(failure(code))).toBe('doubt');
  },
);

it.each(['22P05', '23502', '54000'])('takes %s for a fault of what is in the events', (code) => {
  expect(classifyAppendFailure(failure(code))).toBe('bad');
});

it('takes what remains for a bug', () => {
  expect(classifyAppendFailure(failure('42703'))).toBe('other');
  expect(classifyAppendFailure(new TypeError('x'))).toBe('other');
});

it('knows a connection that the client gave up without a code', () => {
  for (const text of ['Connection terminated unexpectedly', 'Query read timeout'])
    expect(classifyAppendFailure(new Error(text))).toBe('doubt');
});
