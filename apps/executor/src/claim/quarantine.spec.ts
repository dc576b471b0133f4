import type { ProcessEvent, RecordedEvent } from '@baton/process';
import { describe, expect, it } from 'vitest';
import { completedOperators, countDeaths } from './quarantine.js';

function log(...events: ProcessEvent[]): RecordedEvent[] {
  return events.map((event, index) => ({
    ...event,
    id: `e${index}`,
    stream: 'p',
    sequence: index + 1,
    recordedAt: '2026-01-01T00:00:00.000Z',
    schemaVersion: 1,
    logIncarnation: 1,
    metadata: {},
  }));
}
const started: ProcessEvent = { type: 'ProcessStarted', data: { executor: 'x0' } };
const takenOver = (alone = false): ProcessEvent => ({
  type: 'ProcessTakenOver',
  data: { executor: 'x', from: 'y', eventsFolded: 1, operatorsPassedOver: 0, ...(alone && { alone }) },
});
const begun = (path: string, attempt = 1): ProcessEvent => ({
  type: 'OperatorStarted',
  data: { path, type: 'http', class: 'effect', attempt, executor: 'x' },
});
const done = (path: string): ProcessEvent => ({ type: 'OperatorCompleted', data: { path, attempt: 1 } });
const parked: ProcessEvent = { type: 'ProcessParked', data: { waitsFor: [], dueAt: null } };

describe('the deaths that a process has seen', () => {
  it('count from its last progress on: an outcome, a parking, a release (Q1)', () => {
    expect(countDeaths(log(started, begun('a')), 3).count).toBe(1);
    expect(countDeaths(log(started, begun('a'), takenOver()), 3).count).toBe(2);
    expect(countDeaths(log(started, begun('a'), takenOver(), done('a'), begun('b')), 3).count).toBe(1);
    expect(countDeaths(log(started, takenOver(), parked, started), 3).count).toBe(1);
  });
  it('count for an operator by itself, whatever its siblings do (Q2)', () => {
    const events = log(started, begun('killer'), begun('a'), done('a'), takenOver(), begun('b'), done('b'));
    expect(countDeaths(events, 3).count).toBe(2);
  });
  it('count on only while alone, once it is suspect (Q3)', () => {
    const suspect = [started, begun('a'), takenOver(), takenOver()];
    expect(countDeaths(log(...suspect), 3).count).toBe(2);
    expect(countDeaths(log(...suspect, takenOver(true)), 3)).toEqual({ count: 3, alone: true });
  });
  it('pass over what is completed, each operator once', () => {
    expect(completedOperators(log(done('a'), done('b'), done('a')))).toBe(2);
  });
});
