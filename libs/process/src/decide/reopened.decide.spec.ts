import { describe, expect, it } from 'vitest';
import { headChangeOf } from '../head/head-change.js';
import { statusOf } from '../state/view.js';
import { compiled, Given, start } from './given.spec-helper.js';

const by = { id: 'ann' };
const hour = 3_600_000;
const post = (more = '') => `{ type: http, method: POST, url: "https://x", recovery: fail${more} }`;

/** As the scheduler does it: the process has its slot. */
function admitted(given: Given): string[] {
  given.record({ type: 'ProcessScheduled', data: {} });
  return given.again();
}

describe('a retried process', () => {
  it('stands in the queue again, with its key, and begins nothing before it is admitted', () => {
    const concurrency = { key: 'k', limit: 1, onLimit: 'reject' } as const;
    const given = new Given(compiled(`operators:\n  a: ${post()}`), { concurrency, priority: 7 });
    given.decide();
    given.fails('a');
    given.commandOnly({ kind: 'retry', by });
    expect(statusOf(given.state)).toBe('queued');
    const retried = given.log.at(-1);
    expect(retried?.type).toBe('ProcessRetried');
    // It was admitted once: a key that is full now makes it wait, whatever else `onLimit` says.
    expect(retried && headChangeOf(retried)).toMatchObject({
      owner: null,
      runnableAt: null,
      rows: [{ table: 'queue', op: 'insert', priority: 7, notBefore: null, key: 'k', limit: 1, onLimit: 'queue' }],
    });
    given.record({ type: 'ProcessClaimed', data: { executor: 'e1' } });
    expect(given.decide()).toEqual(['ProcessParked']);
    expect(given.event('ProcessParked')?.waitsFor).toEqual(['admission']);
    expect(admitted(given)).toEqual(['OperatorStarted a']);
  });

  it('that timed out has its whole time again', () => {
    const given = Given.of(`timeout: 1h\noperators:\n  a: { type: delay, for: 90m }`);
    given.decide();
    given.after(hour);
    expect(given.state.end).toBe('failed');
    given.now += hour;
    given.commandOnly({ kind: 'retry', by });
    expect(admitted(given)).toEqual(['OperatorStarted a', 'ProcessParked']);
    expect(given.event('ProcessParked')?.dueAt).toBe(new Date(start + 3 * hour).toISOString());
  });

  it('tries again everything that failed and was not handled, in loops and groups too, and nothing else', () => {
    const given = Given.of(`
onFailure: drain
operators:
  a: ${post()}
  b: ${post()}
  h: ${post()}
  handler: { type: set, after: [h.failed], value: 1 }
  l: { type: http, method: POST, url: "https://x", recovery: fail, forEach: { in: "\${{ [1, 2, 3] }}" } }
  g:
    type: group
    operators:
      x: ${post()}
      y: ${post()}
`);
    given.decide();
    for (const path of ['h', 'a', 'b', 'l[0]', 'l[1]', 'g/x', 'g/y']) given.fails(path);
    given.completes('l[2]', { status: 200 });
    expect(given.state.end).toBe('failed');
    given.commandOnly({ kind: 'retry', by });
    expect(admitted(given).sort()).toEqual(
      ['a', 'b', 'g/x', 'g/y', 'l[0]', 'l[1]'].map((path) => `OperatorStarted ${path}`),
    );
    for (const path of ['a', 'b', 'l[0]', 'l[1]', 'g/x', 'g/y']) given.completes(path, { status: 200 });
    expect(given.state.end).toBe('completed');
  });

  it('is refused when an undo was only attempted: what it did to the world is not known', () => {
    const undo = '{ type: http, method: POST, url: "https://u", recovery: ask }';
    const given = Given.of(`operators:\n  a: ${post(`, compensate: ${undo}`)}\n  b: ${post(', after: [a]')}`);
    given.decide();
    given.completes('a', { status: 200 });
    given.fails('b');
    given.end('a/compensate', { status: 'unknown', reason: 'cut' });
    const incidentId = given.event('IncidentRaised')?.incidentId ?? '';
    given.command({ kind: 'resolveIncident', incidentId, action: 'skip', by });
    expect(given.state.end).toBe('failed');
    expect(given.commandOnly({ kind: 'retry', by })).toEqual(['refused conflict']);
  });
});

it('hold: a rerun of a failed loop takes all of its failed items', () => {
  const given = Given.of(`
onFailure: hold
operators:
  l: { type: http, method: POST, url: "https://x", recovery: fail, forEach: { in: "\${{ [1, 2] }}" } }
`);
  given.decide();
  given.fails('l[0]');
  given.fails('l[1]');
  const incidentId = given.event('IncidentRaised')?.incidentId ?? '';
  const events = given.command({ kind: 'resolveIncident', incidentId, action: 'rerun', by });
  expect(events).toEqual(['OperatorStarted l[0]', 'OperatorStarted l[1]']);
});

describe('a process that waits to be admitted', () => {
  const queued = () => {
    const given = Given.of('operators:\n  r: { type: receive, message: paid }');
    given.log.splice(1);
    given.reload();
    return given;
  };
  const message = { kind: 'receiveMessage', messageId: 'm', name: 'paid', payload: 1 } as const;

  it.each([message, { kind: 'pause', by } as const])('is not driven for the sake of a $kind', (command) => {
    const given = queued();
    given.commandOnly(command);
    const head = given.log.map(headChangeOf);
    const runnable = head.findLast((change) => change.runnableAt !== undefined)?.runnableAt;
    expect(runnable).toBeNull();
    expect(head.some((change) => change.rows.some((row) => row.table === 'queue' && row.op === 'delete'))).toBe(false);
    expect(given.state.scheduled).toBe(false);
  });

  it('takes the early message when it runs', () => {
    const given = queued();
    given.commandOnly(message);
    given.record({ type: 'ProcessScheduled', data: {} });
    given.record({ type: 'ProcessStarted', data: { executor: 'e1' } });
    expect(given.decide()).toEqual(['OperatorStarted r', 'OperatorCompleted r', 'ProcessCompleted']);
  });
});

it('a cancellation ends a process that waits with an incident of the whole process', () => {
  const given = Given.of(`
operators:
  d: { type: delay, for: 1h }
finally:
  f: { type: set, value: 1 }
`);
  given.decide();
  given.command({ kind: 'raiseIncident', incidentKind: 'quarantine', reason: 'three executors died' });
  expect(given.command({ kind: 'cancel', by })).toEqual([
    'OperatorCancelled d',
    'FinallyStarted',
    'OperatorCompleted finally/f',
    'ProcessCancelled',
  ]);
});
