import { expect, it } from 'vitest';
import { Given } from './given.spec-helper.js';

it('a plain sequence: the end of one and the start of the next travel together', () => {
  const given = Given.of(`
operators:
  a: { type: http, method: GET, url: "https://x" }
  b: { type: set, after: [a], value: "\${{ operators.a.output.body }}" }
  c: { type: http, after: [b], method: PUT, url: "https://x/\${{ operators.b.output }}" }
outputs: "\${{ operators.b.output }}"
`);
  expect(given.decide()).toEqual(['OperatorStarted a']);
  expect(given.last?.disposition).toBe('running');
  expect(given.completes('a', { status: 200, body: 7 })).toEqual([
    'OperatorCompleted a',
    'OperatorCompleted b',
    'OperatorStarted c',
  ]);
  expect(given.begun.at(-1)?.fields['url']).toBe('https://x/7');
  expect(given.completes('c', { status: 200 })).toEqual(['OperatorCompleted c', 'ProcessCompleted']);
  expect(given.state.outputs).toBe(7);
});

it('parallel operators start together, and a join of all waits for the last', () => {
  const given = Given.of(`
defaults: { recovery: rerun }
operators:
  a: { type: http, method: GET, url: "https://x" }
  b: { type: http, method: GET, url: "https://x" }
  c: { type: set, after: [a, b], value: 1 }
`);
  expect(given.decide()).toEqual(['OperatorStarted a', 'OperatorStarted b']);
  expect(given.completes('b', { status: 200 })).toEqual(['OperatorCompleted b']);
  expect(given.completes('a', { status: 200 })).toEqual([
    'OperatorCompleted a',
    'OperatorCompleted c',
    'ProcessCompleted',
  ]);
});
