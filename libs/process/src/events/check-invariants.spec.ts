import { describe, expect, it } from 'vitest';
import { Given } from '../decide/given.spec-helper.js';
import { checkInvariants } from './check-invariants.js';
import type { ProcessEvent, RecordedEvent } from './process-event.types.js';

function sound(): RecordedEvent[] {
  const given = Given.of(`
operators:
  a: { type: http, method: POST, url: "https://x", recovery: rerun }
  d: { type: delay, after: [a], for: 1h }
finally:
  f: { type: set, value: 1 }
`);
  given.decide();
  given.completes('a', { status: 200 });
  given.after(3_600_000);
  return given.log;
}

const numbered = (events: readonly (ProcessEvent | RecordedEvent)[]): RecordedEvent[] =>
  events.map((event, index) => ({ ...(sound()[0] as RecordedEvent), ...event, sequence: index + 1 }) as RecordedEvent);
const behind = (log: RecordedEvent[], type: string, ...more: ProcessEvent[]): RecordedEvent[] => {
  const at = log.findIndex((event) => event.type === type) + 1;
  return numbered([...log.slice(0, at), ...more, ...log.slice(at)]);
};
const of = (log: RecordedEvent[], type: string): ProcessEvent =>
  log.find((event) => event.type === type) as ProcessEvent;

it('a sound stream breaks none', () => {
  expect(checkInvariants(sound())).toEqual([]);
});

it('a later attempt has a verification of its own, which may be put off like any other', () => {
  const started = (path: string, attempt: number): ProcessEvent => ({
    type: 'OperatorStarted',
    data: { path, type: 'http', class: 'effect', attempt, executor: 'e1' },
  });
  const unknown = (attempt: number): ProcessEvent => ({
    type: 'OperatorOutcomeUnknown',
    data: { path: 'a', attempt, reason: 'cut', recovery: 'verify' },
  });
  const log = numbered([
    ...sound().slice(0, 3),
    ...[started('a', 1), unknown(1), started('a/verify', 1)],
    { type: 'OperatorCompleted', data: { path: 'a/verify', attempt: 1, outcome: 'not-happened' } },
    ...[started('a', 2), unknown(2), started('a/verify', 2)],
    { type: 'OperatorRetryScheduled', data: { path: 'a/verify', attempt: 2, dueAt: '2026-11-23T10:00:00.000Z' } },
  ]);
  expect(checkInvariants(log)).toEqual([]);
});

describe('a planted fault is found', () => {
  const log = sound();
  const cases: [string, RecordedEvent[]][] = [
    ['V1 gapless', [...log.slice(0, 3), ...log.slice(4)]],
    ['V2 requested first and once', numbered(log.slice(1))],
    ['V3 completed once', behind(log, 'OperatorCompleted', of(log, 'OperatorCompleted'))],
    [
      'V4 started before it ends',
      behind(log, 'OperatorStarted', { type: 'OperatorCompleted', data: { path: 'a', attempt: 7 } }),
    ],
    ['V5 an attempt once', behind(log, 'OperatorStarted', of(log, 'OperatorStarted'))],
    [
      'V6 waiting started once',
      numbered([
        ...log.slice(0, 7),
        {
          type: 'OperatorStarted',
          data: {
            ...log.find((event) => event.type === 'OperatorStarted' && event.data.path === 'd')?.data,
            attempt: 2,
          },
        } as ProcessEvent,
      ]),
    ],
    ['V7 nothing after the end', behind(log, 'ProcessCompleted', { type: 'ProcessTimedOut', data: { timeoutAt: '' } })],
    ['V8 only the owner drives', behind(log, 'ProcessStarted', { type: 'ProcessClaimed', data: { executor: 'e9' } })],
    [
      'V9 undone after done',
      behind(log, 'ProcessStarted', { type: 'OperatorCompleted', data: { path: 'z/compensate', attempt: 1 } }),
    ],
    ['V10 finally once', behind(log, 'FinallyStarted', { type: 'FinallyStarted', data: { status: 'completed' } })],
    [
      'V11 nothing begins after it ended',
      behind(log, 'OperatorCompleted', {
        type: 'OperatorStarted',
        data: { path: 'a', type: 'http', class: 'effect', attempt: 9, executor: 'e1' },
      }),
    ],
  ];
  it.each(cases)('%s', (invariant, events) => {
    expect(checkInvariants(events).map((one) => one.invariant)).toContain(invariant);
  });
});
