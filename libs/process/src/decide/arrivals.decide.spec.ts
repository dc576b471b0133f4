import { expect, it } from 'vitest';
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
