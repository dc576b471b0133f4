import { describe, expect, it } from 'vitest';
import { makeStorable, OutputTooDeep, withoutMarkers } from './output.limits.js';

describe('what comes from outside', () => {
  it('is storable: NUL bytes and lone surrogates stand as their escapes, pairs stay', () => {
    expect(makeStorable({ 'a\u0000': ['\u0000', '\ud800x', 'x\udc00', '😀'] })).toEqual({
      'a\\u0000': ['\\u0000', '\\ud800x', 'x\\udc00', '😀'],
    });
  });
  it('keeps every digit of large integers, and has a word for what JSON has none for', () => {
    expect(makeStorable([2 ** 53, 12n, Number.NaN, -0, undefined, new Date(0), new Uint8Array([1])])).toEqual([
      '9007199254740992',
      '12',
      null,
      0,
      null,
      '1970-01-01T00:00:00.000Z',
      'AQ==',
    ]);
  });
  it('is refused beyond a depth of 64, before anything overflows', () => {
    let deep: unknown = 1;
    for (let n = 0; n < 64; n += 1) deep = [deep];
    expect(() => makeStorable(deep)).not.toThrow();
    expect(() => makeStorable([deep])).toThrow(OutputTooDeep);
  });
  it('keeps a key __proto__ as a key', () => {
    const stored = makeStorable(JSON.parse('{"__proto__": {"a": 1}}'));
    expect(JSON.stringify(stored)).toBe('{"__proto__":{"a":1}}');
  });
  it('names no secret of ours and no artifact', () => {
    expect(withoutMarkers({ a: [{ $secret: 'db' }], $artifact: 1 })).toEqual({
      a: [{ '\\$secret': 'db' }],
      '\\$artifact': 1,
    });
  });
});
