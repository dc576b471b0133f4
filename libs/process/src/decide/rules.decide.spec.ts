import { describe, expect, it } from 'vitest';
import { Given, start } from './given.spec-helper.js';

const http = (more = '') => `{ type: http, method: GET, url: "https://x"${more} }`;
const post = (more = '') => `{ type: http, method: POST, url: "https://x", recovery: rerun${more} }`;

describe('links and joins', () => {
  it('any: the first that holds, and cancelRest ends the other runners', () => {
    const given = Given.of(`
operators:
  a: ${http()}
  b: ${http()}
  d: { type: delay, for: 1h }
  c: { type: set, after: [a, b, d], join: any, cancelRest: true, value: 1 }
`);
    given.decide();
    expect(given.completes('a', { status: 200 })).toEqual([
      'OperatorCompleted a',
      'OperatorCancelled d',
      'OperatorCompleted c',
    ]);
    expect(given.last?.abort).toEqual([{ path: 'b', attempt: 1, reason: 'c no longer waits for it' }]);
    expect(given.fails('b')).toEqual(['OperatorCancelled b', 'ProcessCompleted']);
  });

  it('settled merges branches: each link holds or cannot any more, at least one holds', () => {
    const given = Given.of(
      `
inputs: { big: { type: boolean } }
operators:
  choose: { type: decision, outcomes: { large: inputs.big, small: else } }
  l: { type: set, after: [choose.large], value: 1 }
  s: { type: set, after: [choose.small], value: 2 }
  both: { type: set, after: [l, s], join: settled, value: 3 }
  l2: { type: set, after: [l], value: 4 }
`,
      { big: false },
    );
    expect(given.decide()).toEqual([
      'OperatorCompleted choose',
      'OperatorNotTaken l',
      'OperatorNotTaken l2',
      'OperatorCompleted s',
      'OperatorCompleted both',
      'ProcessCompleted',
    ]);
  });

  it('not-taken spreads along links, skipped does not', () => {
    const given = Given.of(`
operators:
  a: { type: set, when: "1 > 2", value: 1 }
  b: { type: set, after: [a], value: 1 }
  c: { type: set, after: [a.failed], value: 1 }
  d: { type: set, after: [c], value: 1 }
  e: { type: set, after: [a.skipped], value: 1 }
`);
    given.decide();
    expect(['a', 'b', 'c', 'd', 'e'].map((path) => given.status(path))).toEqual([
      'skipped',
      'completed',
      'not-taken',
      'not-taken',
      'completed',
    ]);
    expect(given.state.end).toBe('completed');
  });

  it('a failed link handles the failure; a handler that fails is itself unhandled', () => {
    const given = Given.of(`
operators:
  a: ${http()}
  h: ${http(', after: [a.failed]')}
`);
    given.decide();
    expect(given.fails('a')).toEqual(['OperatorFailed a', 'OperatorStarted h']);
    expect(given.fails('h')).toEqual(['OperatorFailed h', 'ProcessFailed']);
    expect(given.event('ProcessFailed')).toMatchObject({ path: 'h', error: { code: 'connection' } });
  });

  it('expect turns a completed operator into a failed one', () => {
    const given = Given.of(`
operators:
  a: ${http(', expect: "output.body == 1"')}
`);
    given.decide();
    expect(given.completes('a', { status: 200, body: 2 })).toEqual(['OperatorFailed a', 'ProcessFailed']);
    expect(given.event('OperatorFailed')?.error.code).toBe('expect');
  });

  it('an expression that fails makes its operator fail with code expression', () => {
    const given = Given.of(
      `
inputs: { n: { type: integer } }
operators:
  a: { type: set, value: "\${{ 1 / inputs.n }}" }
`,
      { n: 0 },
    );
    expect(given.decide()).toEqual(['OperatorFailed a', 'ProcessFailed']);
    expect(given.event('OperatorFailed')?.error.code).toBe('expression');
  });
});

describe('retry and timers', () => {
  it('a retry waits durably, keeps the key, and counts attempts on', () => {
    const given = Given.of(`
operators:
  a: ${post(', retry: { attempts: 3, on: [connection], backoff: { initial: 10s, factor: 2, max: 15s } }')}
`);
    given.decide();
    const key = given.begun[0]?.idempotencyKey;
    expect(given.fails('a')).toEqual(['OperatorRetryScheduled a', 'ProcessParked']);
    expect(given.event('ProcessParked')).toEqual({
      waitsFor: ['retry a'],
      dueAt: new Date(start + 10_000).toISOString(),
    });
    expect(given.after(10_000)).toEqual(['TimerFired a retry', 'OperatorStarted a']);
    expect(given.begun[1]).toMatchObject({ attempt: 2, idempotencyKey: key });
    given.fails('a');
    expect(given.event('OperatorRetryScheduled')?.dueAt).toBe(new Date(start + 25_000).toISOString());
    given.after(15_000);
    expect(given.fails('a')).toEqual(['OperatorFailed a', 'ProcessFailed']);
  });

  it('what retry.on does not name is not tried again; newKey opens a round', () => {
    const given = Given.of(`
operators:
  a: ${post(', retry: { attempts: 3, on: [connection], newKey: true }')}
`);
    given.decide();
    given.fails('a');
    given.after(60_000);
    expect(given.begun[1]?.idempotencyKey).not.toBe(given.begun[0]?.idempotencyKey);
    expect(given.fails('a', 'other')).toEqual(['OperatorFailed a', 'ProcessFailed']);
  });

  it('a delay parks, and completes when it is due', () => {
    const given = Given.of('operators:\n  a: { type: delay, for: 15m }');
    expect(given.decide()).toEqual(['OperatorStarted a', 'ProcessParked']);
    expect(given.state.owner).toBe(null);
    expect(given.after(15 * 60_000)).toEqual(['TimerFired a delay', 'OperatorCompleted a', 'ProcessCompleted']);
  });

  it('a deadline aborts what runs and fails it, whatever its retries', () => {
    const given = Given.of(`
operators:
  a: ${post(', deadline: 1m, retry: { attempts: 9 }')}
`);
    given.decide();
    expect(given.after(60_000)).toEqual(['TimerFired a deadline']);
    expect(given.last?.abort).toMatchObject([{ path: 'a', attempt: 1 }]);
    expect(given.fails('a', 'aborted')).toEqual(['OperatorFailed a', 'ProcessFailed']);
    expect(given.event('OperatorFailed')?.error.code).toBe('deadline');
  });

  it('the timeout of the process ends it as failed', () => {
    const given = Given.of('timeout: 1h\noperators:\n  a: { type: delay, for: 5h }');
    given.decide();
    expect(given.event('ProcessParked')?.dueAt).toBe(new Date(start + 3_600_000).toISOString());
    expect(given.after(3_600_000)).toEqual(['ProcessTimedOut', 'OperatorCancelled a', 'ProcessFailed']);
  });

  it('warnAfter only notifies', () => {
    const given = Given.of('operators:\n  a: { type: delay, for: 5h, warnAfter: 1h }');
    given.decide();
    expect(given.after(3_600_000)).toEqual(['TimerFired a warn', 'ProcessParked']);
  });

  it('repeat sees output, previous and iteration, and fails with exhausted at max', () => {
    const given = Given.of(`
operators:
  a: ${http(', repeat: { until: "output.status == 200", max: 2, every: 3s }')}
`);
    given.decide();
    expect(given.completes('a', { status: 503 })).toEqual(['OperatorRepeatScheduled a', 'ProcessParked']);
    expect(given.after(3_000)).toEqual(['TimerFired a repeat', 'OperatorStarted a']);
    expect(given.completes('a', { status: 503 })).toEqual(['OperatorFailed a', 'ProcessFailed']);
    expect(given.event('OperatorFailed')?.error.code).toBe('exhausted');
  });

  it('in a repeated group the path carries the iteration', () => {
    const given = Given.of(`
operators:
  poll:
    type: group
    repeat: { until: output >= 2, max: 5, every: 0s }
    operators:
      check: ${http()}
    outputs: "\${{ operators.check.output.body }}"
`);
    given.decide();
    given.completes('poll#1/check', { status: 200, body: 1 });
    given.after(0);
    expect(given.status('poll#2/check')).toBe('running');
    expect(given.completes('poll#2/check', { status: 200, body: 2 })).toEqual([
      'OperatorCompleted poll#2/check',
      'OperatorCompleted poll',
      'ProcessCompleted',
    ]);
  });
});

describe('takeover and unknown outcomes', () => {
  it('completed operators are never executed again; the running one is, by recovery rerun', () => {
    const given = Given.of(`
operators:
  a: ${post()}
  b: ${post(', after: [a]')}
`);
    given.decide();
    given.completes('a', { status: 200 });
    expect(given.takenOverBy('e2')).toEqual(['OperatorOutcomeUnknown b', 'OperatorStarted b']);
    expect(given.begun.at(-1)).toMatchObject({ path: 'b', attempt: 2, idempotencyKey: given.begun[1]?.idempotencyKey });
    expect(given.completes('b', { status: 200 })).toEqual(['OperatorCompleted b', 'ProcessCompleted']);
  });

  it('rule b: nothing is attempted again before the lost incarnation is proven over', () => {
    const given = Given.of(`operators:\n  a: ${post()}`);
    given.decide();
    expect(given.takenOverBy('e2', false)).toEqual([]);
    expect(given.last).toMatchObject({ disposition: 'held', heldBy: ['e1'] });
    given.over.add('e1');
    expect(given.decide()).toEqual(['OperatorOutcomeUnknown a', 'OperatorStarted a']);
  });

  it('rule b: what does no harm when it begins late goes on at once', () => {
    const given = Given.of(`operators:\n  a: ${http()}`);
    given.decide();
    expect(given.takenOverBy('e2', false)).toEqual(['OperatorOutcomeUnknown a', 'OperatorStarted a']);
  });

  it('an executor that released the process left nothing running', () => {
    const given = Given.of(`operators:\n  a: ${post()}\n  b: { type: delay, for: 1h }`);
    given.decide();
    given.draining = true;
    expect(given.decide()).toEqual([]);
    expect(given.end('a', { status: 'not-begun', reason: 'drained' })).toEqual([
      'OperatorRetryScheduled a',
      'ProcessReleased',
    ]);
    expect(given.last?.disposition).toBe('released');
  });

  it('waiting operators are resumed, never started again', () => {
    const given = Given.of('operators:\n  a: { type: delay, for: 1h }\n  b: { type: user-task }');
    given.decide();
    given.record({ type: 'ProcessClaimed', data: { executor: 'e1' } });
    expect(given.takenOverBy('e2', false)).toEqual(['ProcessParked']);
    expect(given.log.filter((event) => event.type === 'OperatorStarted')).toHaveLength(2);
  });

  it('recovery fail takes the failure links', () => {
    const given = Given.of(`
operators:
  a: { type: http, method: POST, url: "https://x", recovery: fail }
  h: { type: set, after: [a.failed], value: 1 }
`);
    given.decide();
    expect(given.end('a', { status: 'unknown', reason: 'it timed out' })).toEqual([
      'OperatorOutcomeUnknown a',
      'OperatorFailed a',
      'OperatorCompleted h',
      'ProcessCompleted',
    ]);
  });

  it.each([
    ['rerun', ['IncidentResolved a', 'OperatorStarted a']],
    ['skip', ['IncidentResolved a', 'OperatorSkipped a', 'ProcessCompleted']],
    ['fail', ['IncidentResolved a', 'OperatorFailed a', 'ProcessFailed']],
  ] as const)('recovery ask: a person says %s', (action, then) => {
    const given = Given.of('operators:\n  a: { type: http, method: POST, url: "https://x", recovery: ask }');
    given.decide();
    expect(given.end('a', { status: 'unknown', reason: 'it timed out' })).toEqual([
      'OperatorOutcomeUnknown a',
      'IncidentRaised a',
      'ProcessParked',
    ]);
    expect(given.status('a')).toBe('unknown');
    const incidentId = given.event('IncidentRaised')?.incidentId ?? '';
    const before = given.log.length;
    given.command({ kind: 'resolveIncident', incidentId, action, by: { id: 'bob' } });
    expect(given.types.slice(before).filter((type) => type !== 'ProcessClaimed')).toEqual(then);
  });

  it('recovery verify: happened takes its output, not-happened attempts again', () => {
    const text = `
operators:
  a:
    type: http
    method: POST
    url: "https://x"
    recovery: verify
    verify: { type: http, method: GET, url: "https://x/1", expect: "true", outcomes: { happened: output.status == 200, not-happened: else } }
`;
    const happened = Given.of(text);
    happened.decide();
    expect(happened.end('a', { status: 'unknown', reason: 'cut' })).toEqual([
      'OperatorOutcomeUnknown a',
      'OperatorStarted a/verify',
    ]);
    expect(happened.completes('a/verify', { status: 200 })).toEqual([
      'OperatorCompleted a/verify',
      'OperatorCompleted a',
      'ProcessCompleted',
    ]);
    const not = Given.of(text);
    not.decide();
    not.end('a', { status: 'unknown', reason: 'cut' });
    expect(not.takenOverBy('e2')).toEqual(['OperatorOutcomeUnknown a/verify', 'OperatorStarted a/verify']);
    expect(not.completes('a/verify', { status: 404 })).toEqual(['OperatorCompleted a/verify', 'OperatorStarted a']);
    expect(not.end('a', { status: 'unknown', reason: 'cut' })).toEqual([
      'OperatorOutcomeUnknown a',
      'OperatorStarted a/verify',
    ]);
  });
});
