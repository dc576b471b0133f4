import { describe, expect, it } from 'vitest';
import { Given } from './given.spec-helper.js';

const http = (more = '') => `{ type: http, method: POST, url: "https://x/\${{ item }}", recovery: rerun${more} }`;
const running = (given: Given) =>
  [...given.state.operators.values()]
    .filter((one) => one.status === 'running' && one.path.includes('['))
    .map((one) => one.path);

describe('forEach', () => {
  it('records the list once; output in the list’s order, whatever the order of ends', () => {
    const given = Given.of(`
operators:
  a: ${http(', forEach: { in: [x, y] }')}
  b: { type: set, after: [a], value: "\${{ operators.a.output[1].output.body }}" }
`);
    expect(given.decide()).toEqual(['OperatorStarted a', 'OperatorStarted a[0]', 'OperatorStarted a[1]']);
    expect(given.begun.map((effect) => effect.fields['url'])).toEqual(['https://x/x', 'https://x/y']);
    given.completes('a[1]', { status: 200, body: 'second' });
    expect(given.completes('a[0]', { status: 200, body: 'first' })).toEqual([
      'OperatorCompleted a[0]',
      'OperatorCompleted a',
      'OperatorCompleted b',
      'ProcessCompleted',
    ]);
    expect(given.state.operators.get('a')?.output).toMatchObject([
      { key: '0', status: 'completed', output: { body: 'first' } },
      { key: '1', status: 'completed', output: { body: 'second' } },
    ]);
    expect(given.state.operators.get('b')?.output).toBe('second');
  });

  it('maxParallel bounds how many run', () => {
    const given = Given.of(`operators:\n  a: ${http(', forEach: { in: [1, 2, 3, 4, 5], maxParallel: 2 }')}`);
    given.decide();
    expect(running(given)).toEqual(['a[0]', 'a[1]']);
    given.completes('a[1]', { status: 200 });
    expect(running(given)).toEqual(['a[0]', 'a[2]']);
  });

  it('batches are cumulative waves: the next begins when all of the last have ended', () => {
    const given = Given.of(`operators:\n  a: ${http(', forEach: { in: [1, 2, 3, 4], batches: [1, 50%, 100%] }')}`);
    given.decide();
    expect(running(given)).toEqual(['a[0]']);
    given.completes('a[0]', { status: 200 });
    expect(running(given)).toEqual(['a[1]']);
    given.completes('a[1]', { status: 200 });
    expect(running(given)).toEqual(['a[2]', 'a[3]']);
  });

  it('stopAfterFailures: reached, running items end, none begins, and the operator fails', () => {
    const given = Given.of(`
operators:
  a: ${http(', forEach: { in: [1, 2, 3, 4], maxParallel: 2, stopAfterFailures: 1 }')}
`);
    given.decide();
    expect(given.fails('a[0]')).toEqual(['OperatorFailed a[0]']);
    expect(given.last?.abort).toEqual([]);
    expect(given.completes('a[1]', { status: 200 })).toEqual([
      'OperatorCompleted a[1]',
      'OperatorFailed a',
      'ProcessFailed',
    ]);
    expect(given.event('ProcessFailed')).toMatchObject({ path: 'a[0]', error: { code: 'items-failed' } });
  });

  it('below stopAfterFailures it completes, and its output tells which failed', () => {
    const given = Given.of(`operators:\n  a: ${http(', forEach: { in: [1, 2, 3, 4], stopAfterFailures: "50%" }')}`);
    given.decide();
    given.fails('a[2]');
    for (const index of [0, 1, 3]) given.completes(`a[${index}]`, { status: 200 });
    expect(given.state.end).toBe('completed');
    expect(given.state.operators.get('a')?.output).toMatchObject([
      {},
      {},
      { status: 'failed', error: { code: 'connection' } },
      {},
    ]);
  });

  it('keys are percent-encoded in paths, and must differ', () => {
    const given = Given.of(
      `operators:\n  a: ${http(', forEach: { in: ["a/b", "c[1]"], as: host, key: "${{ host }}" }').replace('item', 'host')}`,
    );
    given.decide();
    expect(running(given)).toEqual(['a[a%2Fb]', 'a[c%5B1%5D]']);
    given.completes('a[a%2Fb]', { status: 200 });
    given.completes('a[c%5B1%5D]', { status: 200 });
    expect(given.state.end).toBe('completed');
    const same = Given.of(`operators:\n  a: ${http(', forEach: { in: [1, 1], key: "${{ item }}" }')}`);
    expect(same.decide()).toEqual(['OperatorFailed a', 'ProcessFailed']);
  });

  it('an item is tried again on its own; items: failed tries the loop again with what failed', () => {
    const own = Given.of(`operators:\n  a: ${http(', forEach: { in: [1, 2] }, retry: { attempts: 2 }')}`);
    own.decide();
    expect(own.fails('a[0]').slice(0, 1)).toEqual(['OperatorRetryScheduled a[0]']);
    const loop = Given.of(
      `operators:\n  a: ${http(', forEach: { in: [1, 2] }, retry: { attempts: 2, items: failed, backoff: { initial: 10s, factor: 1, max: 10s } }')}`,
    );
    loop.decide();
    loop.fails('a[0]');
    expect(loop.completes('a[1]', { status: 200 })).toEqual([
      'OperatorCompleted a[1]',
      'OperatorRetryScheduled a',
      'ProcessParked',
    ]);
    expect(loop.after(10_000)).toEqual(['TimerFired a retry', 'OperatorStarted a', 'OperatorStarted a[0]']);
    expect(loop.completes('a[0]', { status: 200 })).toEqual([
      'OperatorCompleted a[0]',
      'OperatorCompleted a',
      'ProcessCompleted',
    ]);
  });

  it('a takeover goes on with the same list, cursor and wave', () => {
    const given = Given.of(`operators:\n  a: ${http(', forEach: { in: [1, 2, 3, 4], batches: [2, 100%] }')}`);
    given.decide();
    given.completes('a[0]', { status: 200 });
    expect(given.takenOverBy('e2')).toEqual(['OperatorOutcomeUnknown a[1]', 'OperatorStarted a[1]']);
    given.completes('a[1]', { status: 200 });
    expect(running(given)).toEqual(['a[2]', 'a[3]']);
  });

  it('an empty list completes at once; what is no list fails with expression', () => {
    const empty = Given.of(`operators:\n  a: ${http(', forEach: { in: [] }')}`);
    expect(empty.decide()).toEqual(['OperatorStarted a', 'OperatorCompleted a', 'ProcessCompleted']);
    const none = Given.of(`inputs: { x: {} }\noperators:\n  a: ${http(', forEach: { in: "${{ inputs.x }}" }')}`, {
      x: 1,
    });
    expect(none.decide()).toEqual(['OperatorFailed a', 'ProcessFailed']);
  });

  it('more begins than one decision may make are left to the next', () => {
    const given = Given.of(
      `inputs: { l: { type: array } }\noperators:\n  a: ${http(', forEach: { in: "${{ inputs.l }}" }')}`,
      {
        l: Array.from({ length: 1_200 }, (_, index) => index),
      },
    );
    given.decide();
    expect(given.last?.wakeAt).toBe(given.now);
    given.decide();
    given.decide();
    expect(running(given)).toHaveLength(1_200);
  });
});

describe('groups', () => {
  const text = `
operators:
  g:
    type: group
    forEach: { in: [1, 2], maxParallel: 1 }
    operators:
      a: ${http()}
      b: { type: set, after: [a], value: "\${{ item + operators.a.output.body }}" }
    outputs: "\${{ operators.b.output }}"
`;
  it('siblings are seen from inside, and outputs are the output', () => {
    const given = Given.of(text);
    expect(given.decide()).toEqual(['OperatorStarted g', 'OperatorStarted g[0]', 'OperatorStarted g[0]/a']);
    expect(given.completes('g[0]/a', { status: 200, body: 10 })).toEqual([
      'OperatorCompleted g[0]/a',
      'OperatorCompleted g[0]/b',
      'OperatorCompleted g[0]',
      'OperatorStarted g[1]',
      'OperatorStarted g[1]/a',
    ]);
    expect(given.takenOverBy('e2')).toEqual(['OperatorOutcomeUnknown g[1]/a', 'OperatorStarted g[1]/a']);
    given.completes('g[1]/a', { status: 200, body: 20 });
    expect(given.state.operators.get('g')?.output).toMatchObject([{ output: 11 }, { output: 22 }]);
  });

  it('a failure inside ends its siblings and fails the group; a retry goes on with what failed', () => {
    const given = Given.of(`
operators:
  g:
    type: group
    retry: { attempts: 2, backoff: { initial: 10s, factor: 1, max: 10s } }
    operators:
      a: ${http().replace('${{ item }}', '')}
      b: ${http(', after: [a]').replace('${{ item }}', '')}
      c: { type: delay, for: 1h }
`);
    given.decide();
    given.completes('g/a', { status: 200 });
    expect(given.fails('g/b')).toEqual([
      'OperatorFailed g/b',
      'OperatorCancelled g/c',
      'OperatorRetryScheduled g',
      'ProcessParked',
    ]);
    expect(given.after(10_000)).toEqual([
      'TimerFired g retry',
      'OperatorStarted g',
      'OperatorStarted g/c',
      'OperatorStarted g/b',
    ]);
  });

  it('a timeout of a group ends what runs in it', () => {
    const given = Given.of(`
operators:
  g:
    type: group
    timeout: 1m
    operators:
      a: ${http().replace('${{ item }}', '')}
      d: { type: delay, for: 1h }
  h: { type: set, after: [g.failed], value: "\${{ operators.g.error.code }}" }
`);
    given.decide();
    expect(given.after(60_000)).toEqual(['TimerFired g timeout', 'OperatorCancelled g/d']);
    expect(given.last?.abort).toMatchObject([{ path: 'g/a' }]);
    expect(given.fails('g/a')).toEqual([
      'OperatorCancelled g/a',
      'OperatorFailed g',
      'OperatorCompleted h',
      'ProcessCompleted',
    ]);
    expect(given.state.operators.get('h')?.output).toBe('timeout');
  });
});
