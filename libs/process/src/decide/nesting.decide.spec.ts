import { expect, it } from 'vitest';
import { Given } from './given.spec-helper.js';

const by = { id: 'ann' };
const http = (more = '') => `{ type: http, method: POST, url: "https://x", recovery: fail${more} }`;

it('groups in loops in groups: siblings shadow outer names, every loop has its item, and undo goes innermost first', () => {
  const given = Given.of(`
operators:
  x: { type: set, value: outer }
  g:
    type: group
    after: [x]
    operators:
      l:
        type: group
        forEach: { in: "\${{ ['a', 'b'] }}", as: site, key: "\${{ site }}", maxParallel: 1 }
        operators:
          x: { type: set, value: "\${{ 'inner ' + site }}" }
          inner:
            type: group
            after: [x]
            forEach: { in: "\${{ [1, 2] }}", as: n, maxParallel: 1 }
            operators:
              call: ${http(', query: { q: "${{ operators.x.output }} ${{ site }} ${{ n }} ${{ index }}" }, compensate: { type: http, method: DELETE, url: "https://u/${{ site }}/${{ n }}/${{ operators.x.output }}" }')}
            outputs: { said: "\${{ n }}" }
        outputs: "\${{ operators.inner.output.map(one, one.output.said) }}"
    outputs: { all: "\${{ operators.l.output.map(one, one.output) }}", x: "\${{ operators.x.output }}" }
  end: { type: fail, after: [g], message: "\${{ string(operators.g.output.all[1][1]) + operators.g.output.x }}" }
`);
  given.decide();
  const paths: string[] = [];
  while (given.begun.length > paths.length && paths.length < 4) {
    const effect = given.begun.at(-1)!;
    paths.push(`${effect.path} ${(effect.fields['query'] as { q: string }).q}`);
    given.completes(effect.path, { status: 200 });
  }
  expect(paths).toEqual([
    'g/l[a]/inner[0]/call inner a a 1 0',
    'g/l[a]/inner[1]/call inner a a 2 1',
    'g/l[b]/inner[0]/call inner b b 1 0',
    'g/l[b]/inner[1]/call inner b b 2 1',
  ]);
  expect(given.state.operators.get('end')?.error?.message).toBe('2outer');
  const undone: unknown[] = [];
  for (let n = 0; n < 4; n++) {
    undone.push(given.begun.at(-1)?.fields['url']);
    given.completes(given.begun.at(-1)?.path ?? '', { status: 200 });
  }
  expect(undone).toEqual([
    'https://u/b/2/inner b',
    'https://u/b/1/inner b',
    'https://u/a/2/inner a',
    'https://u/a/1/inner a',
  ]);
  expect(given.state.end).toBe('failed');
});

it('repeat in forEach: each item counts its own iterations, and iterations of a group have paths of their own', () => {
  const given = Given.of(`
operators:
  l:
    type: group
    forEach: { in: "\${{ ['a', 'b'] }}", as: host }
    repeat: { until: output.n >= 2, max: 3, every: 1s }
    operators:
      call: ${http()}
    outputs: { n: "\${{ operators.call.output.n }}" }
`);
  given.decide();
  given.completes('l[0]#1/call', { status: 200, n: 1 });
  given.completes('l[1]#1/call', { status: 200, n: 2 });
  expect(given.status('l[1]')).toBe('completed');
  expect(given.after(1_000)).toContain('OperatorStarted l[0]#2/call');
  given.completes('l[0]#2/call', { status: 200, n: 2 });
  expect(given.state.end).toBe('completed');
});

it('a child that was cancelled fails its operator; a retry makes another child', () => {
  const given = Given.of(`
operators:
  c: { type: process, definition: t/child, retry: { attempts: 2, backoff: { initial: 1s } } }
`);
  given.decide();
  const first = given.last?.spawn[0]?.id ?? '';
  given.command({ kind: 'endChild', child: first, path: 'c', attempt: 1, status: 'cancelled' });
  expect(given.event('OperatorRetryScheduled')?.error?.code).toBe('child-cancelled');
  given.after(1_000);
  const second = given.last?.spawn[0]?.id ?? '';
  expect(second).not.toBe(first);
  expect(given.command({ kind: 'endChild', child: first, path: 'c', attempt: 1, status: 'completed' })).toEqual([
    'refused already-done',
  ]);
  given.command({ kind: 'endChild', child: second, path: 'c', attempt: 2, status: 'completed', outputs: 7 });
  expect(given.state.operators.get('c')?.output).toBe(7);
});

it('a timeout is per attempt, a deadline over all of them: a retry has its own timeout and the same deadline', () => {
  const given = Given.of(`
operators:
  t: { type: user-task, timeout: 10m, deadline: 25m, retry: { attempts: 9, backoff: { initial: 1m, factor: 1 } } }
`);
  given.decide();
  given.after(600_000);
  expect(given.event('OperatorRetryScheduled')?.error?.code).toBe('timeout');
  given.after(60_000);
  expect(given.event('TaskAssigned')?.attempt).toBe(2);
  given.after(600_000);
  given.after(60_000);
  given.after(180_000);
  expect(given.event('OperatorFailed')?.error.code).toBe('deadline');
});

it('an unknown outcome in an undo and in finally waits for a person; the process is not cancelled meanwhile', () => {
  const ask = '{ type: http, method: POST, url: "https://u", recovery: ask }';
  const given = Given.of(`
operators:
  a: ${http(`, compensate: ${ask}`)}
  b: { type: fail, after: [a], message: "no" }
finally:
  f: ${ask}
`);
  given.decide();
  given.completes('a', { status: 200 });
  given.end('a/compensate', { status: 'unknown', reason: 'cut' });
  expect(given.command({ kind: 'cancel', by })).toEqual(['refused conflict']);
  const resolve = (action: 'rerun' | 'skip') => {
    const incidentId = given.event('IncidentRaised')?.incidentId ?? '';
    return given.command({ kind: 'resolveIncident', incidentId, action, by });
  };
  expect(resolve('rerun')).toEqual(['OperatorStarted a/compensate']);
  given.completes('a/compensate', { status: 200 });
  given.end('finally/f', { status: 'unknown', reason: 'cut' });
  expect(resolve('skip')).toEqual(['OperatorSkipped finally/f', 'ProcessFailed']);
  expect(given.event('ProcessFailed')).toMatchObject({ path: 'b', compensated: ['a'] });
});

it('a retry of the process tries a failed loop item and its group again, and leaves what completed', () => {
  const given = Given.of(`
operators:
  l:
    type: group
    forEach: { in: "\${{ [1, 2, 3] }}", stopAfterFailures: 2 }
    operators:
      one: ${http()}
      two: ${http(', after: [one]')}
`);
  given.decide();
  for (const n of [0, 1, 2]) given.completes(`l[${n}]/one`, { status: 200 });
  given.fails('l[0]/two');
  given.fails('l[1]/two');
  given.completes('l[2]/two', { status: 200 });
  expect(given.state.end).toBe('failed');
  expect(given.command({ kind: 'retry', by }).sort()).toEqual(['OperatorStarted l[0]/two', 'OperatorStarted l[1]/two']);
  given.completes('l[0]/two', { status: 200 });
  given.completes('l[1]/two', { status: 200 });
  expect(given.state.end).toBe('completed');
});
