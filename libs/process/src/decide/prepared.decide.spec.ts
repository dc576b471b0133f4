import { describe, expect, it } from 'vitest';
import type { CompiledOperator } from '../compile/compiled.types.js';
import type { Template } from '../expressions/expression.types.js';
import type { Json } from '../json.types.js';
import { maxItems, maxStateBytes } from '../state/size.js';
import { compiled, Given } from './given.spec-helper.js';

const constant = (value: Json): Template => ({ source: value, reads: [], evaluate: () => value });

/** A definition whose operator `a` has what the language does not let through yet. */
function with_(text: string, change: Partial<CompiledOperator>): Given {
  const definition = compiled(text);
  const operators = definition.operators.operators.map((op) => (op.name === 'a' ? { ...op, ...change } : op));
  const byName = new Map(operators.map((op) => [op.name, op]));
  return new Given({ ...definition, operators: { operators, byName } });
}

describe('locks and windows', () => {
  it('a lock is waited for before the start, over a takeover, and its turn comes by an event', () => {
    const given = with_('operators:\n  a: { type: set, value: 1 }', { lock: { name: constant('db'), limit: 1 } });
    expect(given.decide()).toEqual(['OperatorWaiting a', 'ProcessParked']);
    expect(given.event('ProcessParked')?.waitsFor).toEqual(['lock a']);
    given.record({ type: 'ProcessClaimed', data: { executor: 'e1' } });
    expect(given.takenOverBy('e2')).toEqual(['ProcessParked']);
    given.record({ type: 'OperatorAdmitted', data: { path: 'a' } });
    expect(given.again()).toEqual(['OperatorCompleted a', 'ProcessCompleted']);
  });

  it('cancelled while it waits for a window', () => {
    const given = with_('operators:\n  a: { type: set, value: 1 }', { window: 'night' });
    given.decide();
    expect(given.command({ kind: 'cancel', by: { id: 'bob' } })).toEqual(['OperatorCancelled a', 'ProcessCancelled']);
  });
});

describe('jobs', () => {
  const job = (recovery: CompiledOperator['recovery'] = 'rerun') =>
    with_('operators:\n  a: { type: delay, for: 1h }', {
      type: 'job',
      recovery,
      fields: { queue: constant('pdf'), input: constant({ n: 1 }) },
    });
  const done = { kind: 'finishJob', path: 'a', attempt: 1 } as const;

  it('waits for a worker; its end comes once', () => {
    const given = job();
    expect(given.decide()).toEqual(['OperatorStarted a', 'ProcessParked']);
    expect(given.event('OperatorStarted')?.waitsFor).toMatchObject({ kind: 'job', queue: 'pdf', input: { n: 1 } });
    expect(given.command({ ...done, result: { status: 'completed', output: 3 } })).toEqual([
      'OperatorCompleted a',
      'ProcessCompleted',
    ]);
    expect(given.command({ ...done, result: { status: 'completed', output: 3 } })).toEqual(['refused ended']);
  });

  it('a lost worker is an unknown outcome: recovery decides', () => {
    const given = job();
    given.decide();
    expect(given.command({ ...done, result: { status: 'unknown', reason: 'its lease ran out' } })).toEqual([
      'OperatorOutcomeUnknown a',
      'OperatorStarted a',
      'ProcessParked',
    ]);
    expect(given.command({ ...done, result: { status: 'completed' } })).toEqual(['refused conflict']);
  });
});

describe('limits', () => {
  it('forEach of more than its limit fails, with a clear error', () => {
    const given = Given.of(
      'inputs: { l: { type: array } }\noperators:\n  a: { type: set, value: 1, forEach: { in: "${{ inputs.l }}" } }',
      {
        l: Array.from({ length: maxItems + 1 }, () => 0),
      },
    );
    expect(given.decide()).toEqual(['OperatorFailed a', 'ProcessFailed']);
    expect(given.event('ProcessFailed')?.error.message).toBe(
      `Expected at most ${maxItems} items, but forEach was given ${maxItems + 1}.`,
    );
  });

  it('a state that grows beyond its limit fails the process', () => {
    const given = Given.of(`
operators:
  a: { type: http, method: GET, url: "https://x" }
  b: { type: http, method: GET, url: "https://x", after: [a] }
`);
    given.decide();
    expect(given.completes('a', { status: 200, body: 'x'.repeat(maxStateBytes) })).toContain('OperatorCompleted a');
    expect(given.event('OperatorStarted')?.path).toBe('b');
    expect(given.completes('b', { status: 200 })).toEqual(['OperatorCompleted b', 'ProcessFailed']);
    expect(given.event('ProcessFailed')?.error.code).toBe('limit');
  });
});
