import { expect, it } from 'vitest';
import type { ProcessCommand } from '../decide/decision.types.js';
import { Given } from '../decide/given.spec-helper.js';
import { evolve } from '../state/evolve.js';
import { fromSnapshot, toSnapshot } from '../state/snapshot.js';
import { decideCommand } from './decide-command.js';
import { areIndependent } from './independent.js';

const waits = Given.of(`operators:
  m: { type: receive, message: m }
  n: { type: receive, message: n }
  t: { type: user-task, form: { type: object }, assign: { users: [ann, ben] } }
  u: { type: user-task, form: { type: object }, assign: { users: [ann, ben] } }
`);
waits.decide();
const taskOf = (path: string): string => waits.state.operators.get(path)?.task?.id ?? '';
const message = (messageId: string, path?: string): ProcessCommand => ({
  kind: 'receiveMessage',
  messageId,
  name: path ?? 'm',
  payload: 1,
  ...(path === undefined ? {} : { path }),
});
const answer = (path: string, id: string): ProcessCommand => ({
  kind: 'answerTask',
  taskId: taskOf(path),
  answer: { ok: true },
  by: { id },
});
const commands: ProcessCommand[] = [
  message('1'),
  message('2'),
  message('3', 'm'),
  message('4', 'm'),
  message('5', 'n'),
  answer('t', 'ann'),
  answer('t', 'ben'),
  answer('u', 'ann'),
  { kind: 'updateTask', taskId: taskOf('t'), by: { id: 'ben' }, claim: true },
  { kind: 'updateTask', taskId: taskOf('u'), by: { id: 'ben' }, claim: true },
  { kind: 'cancel', by: { id: 'ann' } },
  { kind: 'pause', by: { id: 'ann' } },
];
const stateNow = () => fromSnapshot(toSnapshot(waits.state)) ?? waits.state;

it('what is called independent is decided alike on one state and one after the other', () => {
  let independent = 0;
  let differing = 0;
  for (const first of commands) {
    for (const second of commands) {
      const together = decideCommand(stateNow(), second, 0);
      const after = stateNow();
      const decision = decideCommand(after, first, 0);
      if ('events' in decision) for (const event of decision.events) evolve(after, event);
      const inTurn = decideCommand(after, second, 0);
      const alike = JSON.stringify(together) === JSON.stringify(inTurn);
      if (areIndependent([first, second])) {
        independent++;
        expect(alike, JSON.stringify([first, second])).toBe(true);
      } else if (!alike) differing++;
    }
  }
  expect(independent).toBeGreaterThan(50);
  expect(differing).toBeGreaterThan(10);
});
