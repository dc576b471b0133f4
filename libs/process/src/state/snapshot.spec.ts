import { expect, it } from 'vitest';
import { compiled, Given } from '../decide/given.spec-helper.js';
import { evolve } from './evolve.js';
import { initialState, newOperator, type OperatorState } from './process-state.js';
import { fromSnapshot, snapshotText, toSnapshot } from './snapshot.js';

const everything: Required<OperatorState> = {
  path: 'a',
  type: 'http',
  class: 'effect',
  status: 'unknown',
  attempt: 3,
  executor: 'e1',
  round: 2,
  iteration: 4,
  failures: 1,
  unknowns: 2,
  uncertain: true,
  deaths: 1,
  order: 7,
  beaten: true,
  admitted: true,
  startedAt: '2026-11-23T10:00:00.000Z',
  endedAt: '2026-11-23T10:00:01.000Z',
  output: null,
  outcome: 'yes',
  error: { code: 'x', message: 'y' },
  cause: 'a/b',
  previous: [1],
  waitsFor: { kind: 'message', name: 'm', key: 'k' } as Required<OperatorState>['waitsFor'],
  timers: { retry: '2026-11-23T11:00:00.000Z' },
  fired: { deadline: true },
  items: [1, { two: 2 }],
  keys: ['one', 'two'],
  task: {
    id: 't',
    assign: null,
    form: null,
    needs: 1,
    dueAt: null,
    claimedBy: null,
    delegatedTo: null,
    answers: [{ answer: 1, by: { id: 'ann' } }],
  },
  unknown: { reason: 'r', recovery: 'rerun' },
  incident: 'i',
  resolution: { action: 'rerun', by: { id: 'ann' } },
  result: { status: 'unknown', reason: 'r' },
};

it('a snapshot keeps every field of every operator, in their order, and what is not there stays away', () => {
  const state = initialState('c1-x');
  const withNull = { ...newOperator('b', 'set'), output: null };
  const operators = [everything, newOperator('c'), withNull, { ...newOperator('d'), output: { i: 0 } }];
  for (const operator of operators) state.operators.set(operator.path, operator);
  const restored = fromSnapshot(JSON.parse(snapshotText(state)));
  expect([...(restored?.operators.values() ?? [])]).toStrictEqual(operators);
  expect(restored).toEqual(state);
});

it('what is folded into a state after its snapshot was written is not in the snapshot', () => {
  const given = new Given(compiled('operators: { a: { type: set, value: 1 } }'));
  const before = toSnapshot(given.state);
  const kept = JSON.stringify(before);
  evolve(given.state, { type: 'ProcessPaused', data: { by: { id: 'ann' } } });
  expect(JSON.stringify(before)).toBe(kept);
  expect(toSnapshot(given.state)).not.toEqual(before);
});

it('the snapshot of a long loop says what repeats once', () => {
  const state = initialState('c1-x');
  for (let index = 0; index < 1_000; index++) {
    const path = `each[${index}]`;
    state.operators.set(path, { ...newOperator(path, 'some-type'), executor: 'executor-of-a-long-name' });
  }
  const text = snapshotText(state);
  expect(text.split('executor-of-a-long-name')).toHaveLength(2);
  expect(text.length).toBeLessThan(60_000);
});
