import { describe, expect, it } from 'vitest';
import { decideCommand } from '../command/decide-command.js';
import { why } from '../state/why.js';
import { Given, id, start } from './given.spec-helper.js';

const hour = 3_600_000;
const ann = { id: 'ann', groups: ['release-manager'] };
const bob = { id: 'bob', groups: ['release-manager'] };
const eve = { id: 'eve', groups: [] };

describe('user-task', () => {
  const text = `
operators:
  t:
    type: user-task
    assign: { roles: [release-manager], notBy: [requester] }
    form: { type: object, properties: { go: { type: boolean } }, required: [go] }
    expect: output.go
    remind: 1h
    escalate: { after: 3h, assign: { users: [eve] } }
    deadline: 8h
  b: { type: set, after: [t], value: "\${{ operators.t.answeredBy + ' ' + operators.t.answeredAt }}" }
`;
  const taskId = (given: Given) => given.event('TaskAssigned')?.taskId ?? '';
  const answer = (given: Given, by: typeof ann, value: boolean | string) =>
    given.command({ kind: 'answerTask', taskId: taskId(given), answer: { go: value }, by });

  it('is assigned once; the answer, by whom and when, is its outcome', () => {
    const given = Given.of(text);
    expect(given.decide()).toEqual(['OperatorStarted t', 'TaskAssigned t', 'ProcessParked']);
    expect(given.event('TaskAssigned')).toMatchObject({
      assign: { roles: ['release-manager'], notBy: ['ann'] },
      dueAt: new Date(start + 8 * hour).toISOString(),
    });
    expect(why(given.state, given.now).because[0]).toBe(
      `t waits for an answer of somebody of release-manager, but not ann until ${new Date(start + 8 * hour).toISOString()}.`,
    );
    expect(answer(given, ann, true)).toEqual(['refused not-allowed']);
    expect(answer(given, eve, true)).toEqual(['refused not-allowed']);
    expect(answer(given, bob, 'yes')).toEqual(['refused invalid']);
    expect(answer(given, bob, true)).toEqual(['OperatorCompleted t', 'OperatorCompleted b', 'ProcessCompleted']);
    expect(given.state.operators.get('b')?.output).toBe(`bob ${new Date(start).toISOString()}`);
    expect(answer(given, bob, true)).toEqual(['refused not-open']);
  });

  it('an answer that does not satisfy expect is a failure', () => {
    const given = Given.of(text);
    given.decide();
    expect(answer(given, bob, false)).toEqual(['OperatorFailed t', 'ProcessFailed']);
  });

  it('reminds again and again, escalates once, and fails at its deadline', () => {
    const given = Given.of(text);
    given.decide();
    expect(given.after(hour)).toEqual(['TaskReminded t', 'ProcessParked']);
    expect(given.after(hour)).toEqual(['TaskReminded t', 'ProcessParked']);
    given.after(hour);
    expect(given.state.operators.get('t')?.task?.assign).toMatchObject({ users: ['eve'], roles: ['release-manager'] });
    given.after(5 * hour);
    expect(given.event('OperatorFailed')?.error.code).toBe('deadline');
  });

  it('needs N answers by different people, and one refusal is enough', () => {
    const four = `
operators:
  t: { type: user-task, needs: 2, outcomes: { approved: output.go, rejected: else } }
  no: { type: set, after: [t.rejected], value: 1 }
  yes: { type: set, after: [t.approved], value: 1 }
`;
    const agreed = Given.of(four);
    agreed.decide();
    expect(answer(agreed, ann, true)).toEqual(['ProcessParked']);
    expect(answer(agreed, ann, true)).toEqual(['refused already-done']);
    expect(answer(agreed, bob, true)).toEqual([
      'OperatorCompleted t',
      'OperatorNotTaken no',
      'OperatorCompleted yes',
      'ProcessCompleted',
    ]);
    const refused = Given.of(four);
    refused.decide();
    expect(answer(refused, ann, false)[0]).toBe('OperatorCompleted t');
    expect(refused.status('no')).toBe('completed');
  });

  it('notBy operators.a.answeredBy: two tasks, two people', () => {
    const given = Given.of(`
operators:
  a: { type: user-task }
  b: { type: user-task, after: [a], assign: { notBy: [operators.a.answeredBy] } }
`);
    given.decide();
    answer(given, ann, true);
    expect(answer(given, ann, true)).toEqual(['refused not-allowed']);
    expect(answer(given, bob, true)).toEqual(['OperatorCompleted b', 'ProcessCompleted']);
  });

  it('claim, draft and delegation', () => {
    const given = Given.of(text);
    given.decide();
    const update = { kind: 'updateTask', taskId: taskId(given) } as const;
    expect(given.command({ ...update, by: eve, claim: true })).toEqual(['refused not-allowed']);
    given.command({ ...update, by: bob, claim: true, draft: { go: false } });
    expect(given.state.operators.get('t')?.task).toMatchObject({ claimedBy: 'bob', draft: { go: false } });
    expect(given.command({ ...update, by: bob, delegateTo: 'ann' })).toEqual(['refused not-allowed']);
    given.command({ ...update, by: bob, delegateTo: 'eve' });
    expect(answer(given, bob, true)).toEqual(['refused not-allowed']);
    expect(answer(given, eve, true)[0]).toBe('OperatorCompleted t');
  });
});

describe('receive', () => {
  const message = (messageId: string, payload: number, more = {}) =>
    ({ kind: 'receiveMessage', messageId, name: 'paid', payload, ...more }) as const;

  it('takes a message once; the same id again is already done', () => {
    const given = Given.of('operators:\n  r: { type: receive, message: paid, schema: { type: integer } }');
    given.decide();
    expect(given.command({ ...message('m0', 1), payload: 'x' })).toEqual(['refused invalid']);
    expect(given.command(message('m1', 1))).toEqual(['OperatorCompleted r', 'ProcessCompleted']);
    expect(given.command(message('m1', 1))).toEqual(['refused already-done']);
    expect(given.command(message('m2', 1))).toEqual(['refused ended']);
  });

  it('takes one that came before, as far back as keep says, and each only once', () => {
    const given = Given.of(`
operators:
  d: { type: delay, for: 2h }
  r: { type: receive, after: [d], message: paid, keep: 90m }
  s: { type: receive, after: [r], message: paid }
`);
    given.decide();
    given.command(message('old', 1));
    given.now += hour;
    given.command(message('new', 2));
    expect(given.after(hour)).toEqual([
      'TimerFired d delay',
      'OperatorCompleted d',
      'OperatorStarted r',
      'OperatorCompleted r',
      'OperatorStarted s',
      'OperatorCompleted s',
      'ProcessCompleted',
    ]);
    expect(['r', 's'].map((path) => given.state.operators.get(path)?.output)).toEqual([2, 1]);
  });

  it('a message with a key is for the receiver with that key', () => {
    const given = Given.of(
      'operators:\n  a: { type: receive, message: paid, key: k1 }\n  b: { type: receive, message: paid, key: k2 }',
    );
    given.decide();
    expect(given.command(message('m', 5, { key: 'k2', path: 'b' }))).toEqual(['OperatorCompleted b', 'ProcessParked']);
    expect(given.command(message('n', 5, { key: 'k2', path: 'b' }))).toEqual(['refused not-open']);
  });
});

describe('process: a child', () => {
  const text = `
operators:
  c: { type: process, definition: other, inputs: { n: 1 } }
  d: { type: delay, for: 1h }
`;
  const end = (given: Given, status: 'completed' | 'failed' | 'cancelled') => {
    const waitsFor = given.event('OperatorStarted') && given.log.find((one) => one.type === 'OperatorStarted')?.data;
    const child =
      waitsFor && 'waitsFor' in waitsFor && waitsFor.waitsFor?.kind === 'child' ? waitsFor.waitsFor.child : '';
    return given.command({ kind: 'endChild', child, path: 'c', attempt: 1, status, outputs: { x: 1 } });
  };

  it('is made with an id that derives from parent, path and attempt, before the process is parked', () => {
    const given = Given.of(text);
    expect(given.decide()).toEqual(['OperatorStarted c', 'OperatorStarted d']);
    const [child] = given.last?.spawn ?? [];
    expect(child).toMatchObject({
      definition: expect.stringContaining('other'),
      inputs: { n: 1 },
      version: 'published',
    });
    expect(child?.id).toMatch(/^c1-[0-9a-f]{8}-[0-9a-f]{4}-8/);
    expect(child?.request.parent).toEqual({ id, path: 'c', attempt: 1, onParentEnd: 'cancel' });
    expect(given.last).toMatchObject({ disposition: 'running', wakeAt: given.now });
    expect(given.decide()).toEqual(['ProcessParked']);
  });

  it('is made again after a takeover, under the same id; its end comes once', () => {
    const given = Given.of(text);
    given.decide();
    const made = given.last?.spawn[0]?.id;
    expect(given.takenOverBy('e2', false)).toEqual([]);
    expect(given.last?.spawn[0]?.id).toBe(made);
    expect(end(given, 'completed')).toEqual(['OperatorCompleted c', 'ProcessParked']);
    expect(given.state.operators.get('c')?.output).toEqual({ x: 1 });
    expect(end(given, 'completed')).toEqual(['refused already-done']);
  });

  it('that failed fails the operator', () => {
    const given = Given.of(text);
    given.decide();
    expect(end(given, 'failed')).toEqual(['OperatorFailed c', 'OperatorCancelled d', 'ProcessFailed']);
  });

  it('onParentEnd cancel: it is told, and its end is waited for', () => {
    const given = Given.of(text);
    given.decide();
    given.decide();
    expect(given.command({ kind: 'cancel', by: bob })).toEqual(['OperatorCancelled d']);
    expect(given.last?.tell).toMatchObject([{ command: { kind: 'cancel' } }]);
    expect(given.decide()).toEqual(['ProcessParked']);
    expect(end(given, 'cancelled')).toEqual(['OperatorCancelled c', 'ProcessCancelled']);
  });

  it('onParentEnd leave: it goes on without its parent', () => {
    const given = Given.of(text.replace('inputs: { n: 1 }', 'onParentEnd: leave'));
    given.decide();
    expect(given.command({ kind: 'cancel', by: bob })).toEqual([
      'OperatorCancelled c',
      'OperatorCancelled d',
      'ProcessCancelled',
    ]);
    expect(given.last?.tell).toEqual([]);
  });
});

it('a refusal says what no longer fits', () => {
  const given = Given.of('operators:\n  a: { type: delay, for: 1h }');
  given.decide();
  expect(given.command({ kind: 'schedule' })).toEqual(['refused already-done']);
  expect(given.command({ kind: 'resume', by: bob })).toEqual(['refused not-open']);
  const result = decideCommand(given.state, { kind: 'retry', by: bob }, start);
  expect(result).toMatchObject({ refused: { reason: 'Expected a failed process, but it has not ended.' } });
});
