import { describe, expect, test } from 'vitest';
import { jsonOf, textOf } from './json.body.js';
import { ProblemError } from './problem.error.js';
import { storable } from './storable.text.js';

const bytes = (text: string) => new TextEncoder().encode(text);
function problemOf(work: () => unknown) {
  try {
    work();
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
  throw new Error('Expected a refusal, but there was none.');
}

describe('a JSON body', () => {
  test('that nests a million deep is refused before it is parsed, with its place', () => {
    const problem = problemOf(() => jsonOf(bytes('['.repeat(1_000_000))));
    expect(problem).toMatchObject({ status: 400, errors: [{ line: 1, column: 65 }] });
  });
  test('may nest 64 deep', () => {
    expect(jsonOf(bytes(`${'['.repeat(64)}${']'.repeat(64)}`))).toBeTruthy();
  });
  test('may hold brackets and escaped quotes in texts', () => {
    const text = `{"a":"\\"${'['.repeat(100)}"}`;
    expect(jsonOf(bytes(text))).toEqual({ a: `"${'['.repeat(100)}` });
  });
  test('with integers beyond 2^53 keeps them exactly, as strings', () => {
    expect(jsonOf(bytes('{"a":9007199254740993,"b":9007199254740991,"c":0.1234567890123456789}'))).toEqual({
      a: '9007199254740993',
      b: 9007199254740991,
      c: 0.12345678901234568,
    });
  });
  test('with a number that no double can hold is refused, with the remedy', () => {
    expect(problemOf(() => jsonOf(bytes('{"a":1e999}')))).toMatchObject({ status: 422, remedy: 'send it as a string' });
  });
  test('with NUL and lone surrogates is made storable, names included', () => {
    expect(jsonOf(bytes('{"a\\u0000":["\\ud83d","\\ud83d\\ude00","\\udc00x"]}'))).toEqual({
      'a\\u0000': ['\\ud83d', '😀', '\\udc00x'],
    });
  });
  test('with the name __proto__ is refused, also when it is escaped', () => {
    expect(problemOf(() => jsonOf(bytes('{"a":{"__proto__":{}}}')))).toMatchObject({
      errors: [{ path: '/a/__proto__' }],
    });
    for (const name of ['\\u005f_proto__', '__\\u0070roto__'])
      expect(problemOf(() => jsonOf(bytes(`{"${name}":{}}`))).status).toBe(400);
  });
  test('that forges a marker of Baton is refused with its place, also when it is escaped, but not where it is only text', () => {
    for (const name of ['$secret', '$artifact', '\\u0024secret', '$\\u0061rtifact']) {
      const text = `{"inputs":{"a":[{"${name}":{"sealed":"baton:1:x:y:z"}}]}}`;
      expect(problemOf(() => jsonOf(bytes(text)))).toMatchObject({
        status: 422,
        errors: [{ path: expect.stringMatching(/^\/inputs\/a\/0\/\$(secret|artifact)$/), remedy: 'use another name' }],
      });
    }
    expect(jsonOf(bytes('{"a":"$secret and $artifact"}'))).toEqual({ a: '$secret and $artifact' });
  });
  test('that is not JSON is refused with line and column', () => {
    expect(problemOf(() => jsonOf(bytes('{\n  "a": 1,,\n}')))).toMatchObject({ errors: [{ line: 2, column: 10 }] });
  });
  test('that is empty says so', () => {
    expect(problemOf(() => jsonOf(bytes('')))).toMatchObject({ detail: 'the body is empty' });
  });
  test('that is not UTF-8 is refused rather than stored as something else', () => {
    expect(problemOf(() => textOf(new Uint8Array([0x22, 0xff, 0x22]))).status).toBe(400);
  });
});

test('what is storable stays as it is', () => {
  const value = { a: [1, null, true, 'text 😀'], b: { c: 'é\n' } };
  expect(storable(value)).toEqual(value);
});
