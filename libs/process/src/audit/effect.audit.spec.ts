import { describe, expect, it } from 'vitest';
import type { ProcessEvent, RecordedEvent } from '../events/process-event.types.js';
import { auditEffects, keepsPromise, type LedgerEntry } from './effect.audit.js';

const t0 = Date.parse('2026-01-01T00:00:00.000Z');
function recorded(...events: [number, ProcessEvent][]): RecordedEvent[] {
  return events.map(([ms, event], index) => ({
    ...event,
    id: `e${index}`,
    stream: 'p',
    sequence: index + 1,
    recordedAt: new Date(t0 + ms).toISOString(),
    schemaVersion: 1,
    logIncarnation: 1,
    metadata: {},
  }));
}
const started = (attempt: number, executor = 'x1'): ProcessEvent => ({
  type: 'OperatorStarted',
  data: { path: 'a', type: 'http', class: 'effect', attempt, executor },
});
const done = (attempt: number): ProcessEvent => ({ type: 'OperatorCompleted', data: { path: 'a', attempt } });
const takenOver = (from: string): ProcessEvent => ({
  type: 'ProcessTakenOver',
  data: { executor: 'x2', from, eventsFolded: 1, operatorsPassedOver: 0 },
});
const ended: ProcessEvent = { type: 'ProcessCompleted', data: { outputs: null } };
const effect = (attempt: number, ms: number): LedgerEntry => ({
  process: 'p',
  path: 'a',
  attempt,
  key: 'k',
  at: t0 + ms,
});

describe('the audit of effects against the log', () => {
  it('finds nothing where every effect lies between its start and its completion', () => {
    const audit = auditEffects(recorded([0, started(1)], [10, done(1)], [20, ended]), [effect(1, 5)]);
    expect(keepsPromise(audit)).toBe(true);
    expect(audit.late).toEqual([]);
  });
  it('finds an effect that began after its operator completed', () => {
    const audit = auditEffects(recorded([0, started(1)], [10, done(1)]), [effect(1, 11)]);
    expect(audit.begunAfterCompletion).toHaveLength(1);
    expect(keepsPromise(audit)).toBe(false);
  });
  it('finds an effect of attempt 1 that began after attempt 2 had completed', () => {
    const audit = auditEffects(recorded([0, started(1)], [5, started(2, 'x2')], [10, done(2)]), [effect(1, 11)]);
    expect(audit.begunAfterCompletion).toHaveLength(1);
  });
  it('finds an effect that began beside a later attempt', () => {
    const audit = auditEffects(recorded([0, started(1)], [5, started(2, 'x2')]), [effect(1, 6)]);
    expect(audit.begunAfterLaterStart).toHaveLength(1);
    expect(keepsPromise(audit)).toBe(false);
  });
  it('finds an effect after the end, one before its start, and one begun twice', () => {
    expect(auditEffects(recorded([0, started(1)], [10, ended]), [effect(1, 11)]).begunAfterEnd).toHaveLength(1);
    expect(auditEffects(recorded([5, started(1)]), [effect(1, 4)]).begunBeforeStart).toHaveLength(1);
    expect(auditEffects(recorded([0, started(1)]), [effect(1, 1), effect(1, 2)]).begunTwice).toHaveLength(1);
  });
  it('counts, and forgives, a late effect of an attempt that was cut off by a takeover', () => {
    const audit = auditEffects(recorded([0, started(1)], [5, takenOver('x1')]), [effect(1, 6)]);
    expect(audit.late).toHaveLength(1);
    expect(keepsPromise(audit)).toBe(true);
  });
});
