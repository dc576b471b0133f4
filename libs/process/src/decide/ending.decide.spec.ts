import { describe, expect, it } from 'vitest';
import { compiled, Given } from './given.spec-helper.js';

const undo = '{ type: http, method: POST, url: "https://u", recovery: rerun }';
const post = (more = '') => `{ type: http, method: POST, url: "https://x", recovery: rerun${more} }`;
const by = { id: 'bob' };

describe('compensation', () => {
  it('in reverse order of completion, after everything that runs has an outcome; a late success is undone too', () => {
    const given = Given.of(`
operators:
  a: ${post(`, compensate: ${undo}`)}
  b: ${post(`, after: [a], compensate: ${undo}`)}
  c: ${post(`, after: [a], compensate: ${undo}`)}
  d: ${post(', after: [a]')}
`);
    given.decide();
    given.completes('a', { status: 200 });
    given.completes('b', { status: 200 });
    expect(given.fails('d')).toEqual(['OperatorFailed d']);
    expect(given.last?.abort).toMatchObject([{ path: 'c' }]);
    expect(given.completes('c', { status: 200 })).toEqual([
      'OperatorCompleted c',
      'CompensationStarted',
      'OperatorStarted c/compensate',
    ]);
    expect(given.event('CompensationStarted')).toEqual({ cause: 'failed', paths: ['c', 'b', 'a'] });
    expect(given.completes('c/compensate', { status: 200 })).toEqual([
      'OperatorCompleted c/compensate',
      'OperatorStarted b/compensate',
    ]);
    expect(given.takenOverBy('e2')).toEqual(['OperatorOutcomeUnknown b/compensate', 'OperatorStarted b/compensate']);
    given.completes('b/compensate', { status: 200 });
    expect(given.completes('a/compensate', { status: 200 })).toEqual([
      'OperatorCompleted a/compensate',
      'ProcessFailed',
    ]);
    expect(given.event('ProcessFailed')).toMatchObject({ path: 'd', compensated: ['c', 'b', 'a'], notUndone: [] });
    expect(given.status('a')).toBe('compensated');
  });

  it('innermost first: what is in a group before the group’s own undo, items backwards', () => {
    const given = Given.of(`
operators:
  g:
    type: group
    forEach: { in: [1, 2], maxParallel: 1 }
    compensate: ${undo}
    operators:
      a: ${post(`, compensate: ${undo}`)}
  z: ${post(', after: [g]')}
`);
    given.decide();
    given.completes('g[0]/a', { status: 200 });
    given.completes('g[1]/a', { status: 200 });
    given.fails('z');
    expect(given.event('CompensationStarted')?.paths).toEqual(['g[1]/a', 'g[1]', 'g[0]/a', 'g[0]']);
  });

  it('an unknown outcome is undone with onUnknown, else named in the final event', () => {
    const given = Given.of(`
operators:
  a: { type: http, method: POST, url: "https://x", recovery: ask, compensate: { type: http, method: POST, url: "https://u", recovery: rerun, onUnknown: true } }
  b: { type: http, method: POST, url: "https://x", recovery: ask }
`);
    given.decide();
    given.end('a', { status: 'unknown', reason: 'cut' });
    expect(given.command({ kind: 'cancel', by })).toEqual(['IncidentResolved a', 'OperatorCancelled a']);
    expect(given.end('b', { status: 'unknown', reason: 'aborted' })).toEqual([
      'OperatorOutcomeUnknown b',
      'OperatorCancelled b',
      'CompensationStarted',
      'OperatorStarted a/compensate',
    ]);
    given.completes('a/compensate', { status: 200 });
    expect(given.event('ProcessCancelled')).toMatchObject({ compensated: ['a'], notUndone: ['b'] });
  });

  it.each([
    ['rerun', 'OperatorStarted a/compensate', []],
    ['skip', 'OperatorSkipped a/compensate', ['a']],
    ['fail', 'ProcessFailed', ['a']],
  ] as const)('a failed undo is tried again, then an incident: %s', (action, then, left) => {
    const given = Given.of(`
operators:
  a: ${post(`, compensate: ${undo}`)}
  b: ${post(', after: [a]')}
`);
    given.decide();
    given.completes('a', { status: 200 });
    given.fails('b');
    for (let attempt = 1; attempt < 3; attempt++) {
      given.fails('a/compensate');
      given.after(30_000);
    }
    expect(given.fails('a/compensate')).toEqual([
      'OperatorFailed a/compensate',
      'IncidentRaised a/compensate',
      'ProcessParked',
    ]);
    const incidentId = given.event('IncidentRaised')?.incidentId ?? '';
    expect(given.command({ kind: 'resolveIncident', incidentId, action, by })).toContain(then);
    if (action === 'rerun') given.completes('a/compensate', { status: 200 });
    expect(given.state.end).toBe('failed');
    expect(given.event('ProcessFailed')?.notUndone).toEqual(left);
  });

  it('onFailure drain: what runs finishes, nothing new begins', () => {
    const given = Given.of(`
onFailure: drain
operators:
  a: ${post()}
  b: ${post(`, compensate: ${undo}`)}
  c: ${post(', after: [b]')}
`);
    given.decide();
    expect(given.fails('a')).toEqual(['OperatorFailed a']);
    expect(given.last?.abort).toEqual([]);
    expect(given.completes('b', { status: 200 })).toEqual([
      'OperatorCompleted b',
      'CompensationStarted',
      'OperatorStarted b/compensate',
    ]);
  });

  it.each([
    ['rerun', ['OperatorStarted b']],
    ['skip', ['OperatorSkipped b', 'ProcessCompleted']],
    ['fail', ['CompensationStarted', 'OperatorStarted a/compensate']],
  ] as const)('onFailure hold: an incident, nothing is undone until a person says so: %s', (action, then) => {
    const given = Given.of(`
onFailure: hold
operators:
  a: ${post(`, compensate: ${undo}`)}
  b: ${post(', after: [a]')}
`);
    given.decide();
    given.completes('a', { status: 200 });
    expect(given.fails('b')).toEqual(['OperatorFailed b', 'IncidentRaised b', 'ProcessParked']);
    const incidentId = given.event('IncidentRaised')?.incidentId ?? '';
    expect(given.command({ kind: 'resolveIncident', incidentId, action, by })).toEqual(then);
  });

  it('compensateOn: [failed] leaves a cancelled process as it is', () => {
    const given = Given.of(`
compensateOn: [failed]
operators:
  a: ${post(`, compensate: ${undo}`)}
  b: { type: delay, after: [a], for: 1h }
`);
    given.decide();
    given.completes('a', { status: 200 });
    expect(given.command({ kind: 'cancel', by, reason: 'not needed' })).toEqual([
      'OperatorCancelled b',
      'ProcessCancelled',
    ]);
    expect(given.event('ProcessCancelled')).toMatchObject({ by, reason: 'not needed' });
  });
});

describe('finally and the end', () => {
  it('runs once, sees the end that will be recorded, and cannot change it', () => {
    const given = Given.of(`
operators:
  a: ${post()}
finally:
  report: { type: http, method: POST, url: "https://x/\${{ process.status }}", recovery: rerun }
  more: { type: set, after: [report], value: 1 }
`);
    given.decide();
    expect(given.completes('a', { status: 200 })).toEqual([
      'OperatorCompleted a',
      'FinallyStarted',
      'OperatorStarted finally/report',
    ]);
    expect(given.begun.at(-1)?.fields['url']).toBe('https://x/completed');
    expect(given.takenOverBy('e2')).toEqual([
      'OperatorOutcomeUnknown finally/report',
      'OperatorStarted finally/report',
    ]);
    expect(given.command({ kind: 'cancel', by })).toEqual(['refused conflict']);
    expect(given.fails('finally/report')).toEqual([
      'OperatorFailed finally/report',
      'OperatorNotTaken finally/more',
      'ProcessCompleted',
    ]);
  });

  it('outputs that cannot be evaluated fail the process', () => {
    const given = Given.of(
      'inputs: { n: { type: integer } }\noperators:\n  a: { type: set, value: 1 }\noutputs: "${{ 1 / inputs.n }}"',
      { n: 0 },
    );
    expect(given.decide()).toEqual(['OperatorCompleted a', 'ProcessFailed']);
    expect(given.event('ProcessFailed')).toMatchObject({ path: 'outputs', error: { code: 'expression' } });
  });

  it('a failed process of which nothing was undone may be retried, and reopens', () => {
    const given = Given.of(`
operators:
  a: ${post()}
  b: ${post(', after: [a]')}
  c: { type: set, after: [b], value: 1 }
finally:
  f: { type: set, value: "\${{ process.status }}" }
`);
    given.decide();
    given.completes('a', { status: 200 });
    given.fails('b');
    expect(given.state.end).toBe('failed');
    expect(given.command({ kind: 'retry', by })).toEqual(['OperatorStarted b']);
    expect(given.begun.at(-1)).toMatchObject({ attempt: 2 });
    expect(given.begun.at(-1)?.idempotencyKey).not.toBe(given.begun.at(-2)?.idempotencyKey);
    expect(given.completes('b', { status: 200 })).toEqual([
      'OperatorCompleted b',
      'OperatorCompleted c',
      'FinallyStarted',
      'OperatorCompleted finally/f',
      'ProcessCompleted',
    ]);
  });

  it('retry is refused when something was undone, or there is a parent, or it did not fail', () => {
    const undone = Given.of(`operators:\n  a: ${post(`, compensate: ${undo}`)}\n  b: ${post(', after: [a]')}`);
    undone.decide();
    expect(undone.command({ kind: 'retry', by })).toEqual(['refused not-open']);
    undone.completes('a', { status: 200 });
    undone.fails('b');
    undone.completes('a/compensate', { status: 200 });
    expect(undone.command({ kind: 'retry', by })).toEqual(['refused conflict']);
    const child = new Given(compiled('operators:\n  a: { type: fail, message: no }'), {
      parent: { id: 'p', path: 'x', attempt: 1, onParentEnd: 'cancel' },
    });
    child.decide();
    expect(child.command({ kind: 'retry', by })).toEqual(['refused conflict']);
  });
});

describe('pause, cancel, drain', () => {
  it('paused, nothing begins and no timer fires; outcomes are recorded; resumed, it goes on', () => {
    const given = Given.of(`operators:\n  a: ${post()}\n  b: ${post(', after: [a]')}\n  d: { type: delay, for: 1h }`);
    given.decide();
    expect(given.command({ kind: 'pause', by })).toEqual([]);
    given.now += 3_600_000;
    expect(given.completes('a', { status: 200 })).toEqual(['OperatorCompleted a', 'ProcessParked']);
    expect(given.event('ProcessParked')).toEqual({ waitsFor: ['resume', 'timer d'], dueAt: null });
    expect(given.command({ kind: 'resume', by })).toEqual([
      'OperatorStarted b',
      'TimerFired d delay',
      'OperatorCompleted d',
    ]);
  });

  it('paused in the same lineage, what was about to begin waits for the resumption', () => {
    const given = Given.of(`operators:\n  a: ${post()}\n  c: ${post()}\n  b: ${post(', after: [a]')}`);
    given.decide();
    given.command({ kind: 'pause', by });
    expect(given.completes('a', { status: 200 })).toEqual(['OperatorCompleted a']);
    expect(given.command({ kind: 'resume', by })).toEqual(['OperatorStarted b']);
  });

  it('a process that was never admitted is cancelled with its finally', () => {
    const given = Given.of('operators:\n  a: { type: set, value: 1 }\nfinally:\n  f: { type: set, value: 2 }');
    given.log.splice(1);
    given.reload();
    expect(given.command({ kind: 'cancel', by })).toEqual([
      'FinallyStarted',
      'OperatorCompleted finally/f',
      'ProcessCancelled',
    ]);
    expect(given.command({ kind: 'cancel', by })).toEqual(['refused ended']);
  });

  it('an incident of the whole process waits, owned by nobody, until a person resolves it', () => {
    const given = Given.of(`operators:\n  a: { type: delay, for: 1h }\n  b: { type: set, after: [a], value: 1 }`);
    given.decide();
    given.record({ type: 'ProcessClaimed', data: { executor: 'e1' } });
    const raise = { kind: 'raiseIncident', incidentKind: 'quarantine', reason: 'three executors died' } as const;
    given.command(raise);
    expect(given.types.slice(-4)).toEqual(['IncidentRaised', 'ProcessParked', 'ProcessClaimed', 'ProcessParked']);
    const incidentId = given.event('IncidentRaised')?.incidentId ?? '';
    expect(given.command({ kind: 'resolveIncident', incidentId, action: 'fail', by })).toEqual([
      'OperatorCancelled a',
      'ProcessFailed',
    ]);
  });
});
