import { expect, it } from 'vitest';
import { Given } from './given.spec-helper.js';

const post = (more = '') => `{ type: http, method: POST, url: "https://x", recovery: rerun${more} }`;
const by = { id: 'bob' };

it('cancelled before the takeover: what ran is not tried again, and its outcome is unknown', () => {
  const given = Given.of(
    `operators:\n  g: { type: group, operators: { a: ${post()}, b: { type: delay, for: 1h } } }\n  l: ${post(', forEach: { in: [1] }')}`,
  );
  given.decide();
  given.record({ type: 'ProcessCancelRequested', data: { by } });
  expect(given.takenOverBy('e2')).toEqual([
    'OperatorCancelled g/b',
    'OperatorOutcomeUnknown g/a',
    'OperatorCancelled g/a',
    'OperatorOutcomeUnknown l[0]',
    'OperatorCancelled l[0]',
    'OperatorCancelled g',
    'OperatorCancelled l',
    'ProcessCancelled',
  ]);
  expect(given.event('ProcessCancelled')?.notUndone.sort()).toEqual(['g/a', 'l[0]']);
});

it('a race that was won before the takeover stays won', () => {
  const given = Given.of(`
operators:
  a: ${post()}
  b: ${post()}
  c: ${post(', after: [a, b], join: any, cancelRest: true')}
`);
  given.decide();
  expect(given.completes('a', { status: 200 })).toEqual(['OperatorCompleted a', 'OperatorStarted c']);
  given.fails('c', 'x');
  expect(given.takenOverBy('e2')).toEqual(['OperatorOutcomeUnknown b', 'OperatorCancelled b', 'ProcessFailed']);
  expect(given.command({ kind: 'retry', by })).toEqual(['OperatorStarted c']);
});

it('a group that is failing at the takeover waits for what ran in it, and tries none of it again', () => {
  const given = Given.of(`operators:\n  g: { type: group, operators: { a: ${post()}, b: ${post()} } }`);
  given.decide();
  expect(given.fails('g/a')).toEqual(['OperatorFailed g/a']);
  expect(given.takenOverBy('e2')).toEqual([
    'OperatorOutcomeUnknown g/b',
    'OperatorCancelled g/b',
    'OperatorFailed g',
    'ProcessFailed',
  ]);
});

it('a deadline that passed before the takeover still holds', () => {
  const given = Given.of(`operators:\n  a: ${post(', deadline: 1m')}`);
  given.decide();
  expect(given.after(60_000)).toEqual(['TimerFired a deadline']);
  expect(given.takenOverBy('e2')).toEqual(['OperatorOutcomeUnknown a', 'OperatorFailed a', 'ProcessFailed']);
  expect(given.event('ProcessFailed')?.error.code).toBe('deadline');
});

it('started here by the log and never begun: it begins, with the same attempt', () => {
  const given = Given.of(`operators:\n  a: ${post()}`);
  given.decide();
  given.running.clear();
  given.reload();
  expect(given.decide()).toEqual([]);
  expect(given.last?.begin).toMatchObject([{ path: 'a', attempt: 1, idempotencyKey: given.begun[0]?.idempotencyKey }]);
});

it('an outcome of an attempt that was superseded is dropped', () => {
  const given = Given.of(`operators:\n  a: ${post()}`);
  given.decide();
  given.takenOverBy('e2');
  expect(given.end('a', { status: 'completed', output: 1 }, 1)).toEqual([]);
  expect(given.status('a')).toBe('running');
});

it('a takeover uses up no attempt of retry, and attempts count on over everything', () => {
  const given = Given.of(
    `operators:\n  a: ${post(', retry: { attempts: 2, backoff: { initial: 1s, factor: 1, max: 1s } }')}`,
  );
  given.decide();
  given.takenOverBy('e2');
  given.takenOverBy('e3');
  expect(given.fails('a')).toEqual(['OperatorRetryScheduled a']);
  given.after(1_000);
  expect(given.begun.at(-1)?.attempt).toBe(4);
});

it('deaths since the last progress are counted, of the process and of its operators', () => {
  const given = Given.of(`operators:\n  a: ${post()}\n  b: ${post(', after: [a]')}`);
  given.decide();
  given.takenOverBy('e2');
  given.takenOverBy('e3');
  expect([given.state.deaths, given.state.operators.get('a')?.deaths]).toEqual([2, 2]);
  given.completes('a', { status: 200 });
  expect([given.state.deaths, given.state.claims]).toEqual([0, 0]);
});

it('an effect whose outcome stays unknown is rerun at once, then after growing pauses', () => {
  const given = Given.of(`operators:\n  a: ${post()}`);
  given.decide();
  const cut = { status: 'unknown', reason: 'cut' } as const;
  expect(given.end('a', cut)).toEqual(['OperatorOutcomeUnknown a', 'OperatorStarted a']);
  expect(given.end('a', cut)).toEqual(['OperatorOutcomeUnknown a', 'OperatorRetryScheduled a']);
  given.after(1_000);
  expect(given.end('a', cut)).toEqual(['OperatorOutcomeUnknown a', 'OperatorRetryScheduled a', 'ProcessParked']);
});

it('a verification that ended while nothing may begin is not asked again', () => {
  const given = Given.of(`
operators:
  a:
    type: http
    method: POST
    url: "https://x"
    recovery: verify
    verify: { type: http, method: GET, url: "https://x/1", expect: "true", outcomes: { happened: output.status == 200, not-happened: else } }
`);
  given.decide();
  given.end('a', { status: 'unknown', reason: 'cut' });
  given.command({ kind: 'pause', by });
  expect(given.completes('a/verify', { status: 404 })).toEqual(['OperatorCompleted a/verify', 'ProcessParked']);
  expect(given.command({ kind: 'resume', by })).toEqual(['OperatorStarted a']);
});
