import { expect, it } from 'vitest';
import { headChangeOf } from '../head/head-change.js';
import { Given, start } from './given.spec-helper.js';

const minute = 60_000;

it('one refusal is enough, also when others agreed before anybody had read it', () => {
  for (const more of ['outcomes: { approved: output.go, rejected: else }', 'expect: output.go']) {
    const given = Given.of(`operators:\n  t: { type: user-task, needs: 2, ${more} }`);
    given.decide();
    const taskId = given.event('TaskAssigned')?.taskId ?? '';
    given.commandOnly({ kind: 'answerTask', taskId, answer: { go: false }, by: { id: 'ann' } });
    given.commandOnly({ kind: 'answerTask', taskId, answer: { go: true }, by: { id: 'bob' } });
    given.again();
    const ended = given.event('OperatorCompleted') ?? given.event('OperatorFailed');
    expect(ended).toMatchObject(more.startsWith('expect') ? { error: { code: 'expect' } } : { outcome: 'rejected' });
    expect(given.state.end).toBe(more.startsWith('expect') ? 'failed' : 'completed');
  }
});

const message = (messageId: string, payload: number) =>
  ({ kind: 'receiveMessage', messageId, name: 'n', payload }) as const;

it('a message is taken once, also by a receiver that repeats', () => {
  const given = Given.of(`
operators:
  r: { type: receive, message: n, repeat: { until: output == 2, max: 3, every: 1s } }
`);
  given.decide();
  given.command(message('m1', 1));
  expect(given.after(1_000)).toEqual(['TimerFired r repeat', 'OperatorStarted r', 'ProcessParked']);
  given.command(message('m2', 2));
  expect(given.state.end).toBe('completed');
});

it('a message is taken once, also when it does not satisfy expect and the receiver is tried again, or another waits', () => {
  const given = Given.of(`
operators:
  r: { type: receive, message: n, expect: output > 1, retry: { attempts: 2, backoff: { initial: 1s } } }
  again: { type: receive, after: [r.failed], message: n }
`);
  given.decide();
  given.command(message('m1', 1));
  expect(given.after(1_000)).toEqual(['TimerFired r retry', 'OperatorStarted r', 'ProcessParked']);
  expect(given.command(message('m2', 0))).toEqual(['OperatorFailed r', 'OperatorStarted again', 'ProcessParked']);
  given.command(message('m3', 9));
  expect(given.state.operators.get('again')?.output).toBe(9);
});

it('timers of an attempt end with it: those of the next are its own', () => {
  const given = Given.of(`
operators:
  d: { type: delay, for: 15m, timeout: 10m, retry: { attempts: 2, backoff: { initial: 8m } } }
`);
  given.decide();
  given.after(10 * minute);
  expect(given.state.operators.get('d')?.timers).toEqual({ retry: new Date(start + 18 * minute).toISOString() });
  expect(given.after(6 * minute)).not.toContain('TimerFired d delay');
});

it('what one person was given of a task with needs: 2 does not keep the next from answering', () => {
  const given = Given.of('operators:\n  t: { type: user-task, needs: 2 }');
  given.decide();
  const taskId = given.event('TaskAssigned')?.taskId ?? '';
  given.command({ kind: 'updateTask', taskId, by: { id: 'ann' }, delegateTo: 'bob', draft: 'secretly yes' });
  given.command({ kind: 'answerTask', taskId, answer: 1, by: { id: 'bob' } });
  const answered = given.log.findLast(({ type }) => type === 'TaskAnswered');
  expect(answered && headChangeOf(answered)).toEqual({
    runnableAt: 'now',
    rows: [{ table: 'task', op: 'update', id: taskId, detail: { claimedBy: null, delegatedTo: null, draft: null } }],
  });
  expect(given.command({ kind: 'answerTask', taskId, answer: 2, by: { id: 'eve' } })).toEqual([
    'OperatorCompleted t',
    'ProcessCompleted',
  ]);
});

it('paused, a running effect still ends, and its retry waits for the resumption', () => {
  const given = Given.of(`
timeout: 1h
operators:
  a: { type: http, method: POST, url: "https://x", recovery: fail, retry: { attempts: 2, backoff: { initial: 1s } } }
  b: { type: set, after: [a], value: 1 }
`);
  given.decide();
  given.command({ kind: 'pause', by: { id: 'ann' } });
  expect(given.fails('a')).toEqual(['OperatorRetryScheduled a', 'ProcessParked']);
  expect(given.event('ProcessParked')?.dueAt).toBeNull();
  given.now += 10 * minute;
  expect(given.command({ kind: 'resume', by: { id: 'ann' } })).toEqual(['TimerFired a retry', 'OperatorStarted a']);
  given.completes('a', { status: 200 });
  expect(given.state.end).toBe('completed');
});

it('both runners of a race may have ended when it is seen: neither is cancelled, and the winner begins once', () => {
  const given = Given.of(`
operators:
  a: { type: http, method: POST, url: "https://x", recovery: fail }
  b: { type: http, method: POST, url: "https://x", recovery: fail }
  c: { type: delay, for: 1h }
  w: { type: set, after: [a, b, c], join: any, cancelRest: true, value: 1 }
  late: { type: set, after: [c.any], value: 2 }
`);
  given.decide();
  const at = new Date(start).toISOString();
  const done = {
    attempt: 1,
    startedAt: at,
    endedAt: at,
    result: { status: 'completed', output: { status: 200 } },
  } as const;
  given.running.clear();
  const events = given.decide([
    { path: 'a', ...done },
    { path: 'b', ...done },
  ]);
  expect(events.filter((name) => name.startsWith('OperatorCompleted'))).toEqual(
    ['a', 'b', 'w', 'late'].map((path) => `OperatorCompleted ${path}`),
  );
  expect(events).toContain('OperatorCancelled c');
  expect(given.state.end).toBe('completed');
});
