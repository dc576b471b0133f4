import { describe, expect, it } from 'vitest';
import { Given } from '../decide/given.spec-helper.js';
import type { ProcessEvent } from '../events/process-event.types.js';
import { headChangeOf } from './head-change.js';
import type { RowChange } from './head-change.types.js';

/** Heads and rows as `append` would keep them, from the events alone. */
function heads(events: readonly ProcessEvent[]) {
  const head = { owner: null as string | null, runnableAt: null as string | null, claims: 0 };
  const rows: RowChange[] = [];
  for (const event of events) {
    const change = headChangeOf(event);
    if (change.owner !== undefined) head.owner = change.owner;
    if (change.runnableAt !== undefined) head.runnableAt = change.runnableAt;
    if (change.claims !== undefined) head.claims = change.claims === 'reset' ? 0 : head.claims + 1;
    for (const row of change.rows) {
      if (row.op === 'insert') rows.push(row);
      if (row.op !== 'delete') continue;
      for (let index = rows.length - 1; index >= 0; index--) {
        const kept = rows[index] as RowChange & { id?: string; path?: string };
        const id = 'id' in row ? row.id : undefined;
        const path = 'path' in row ? row.path : undefined;
        if (kept.table !== row.table) continue;
        if ((id === undefined || kept.id === id) && (path === undefined || kept.path === path)) rows.splice(index, 1);
      }
    }
  }
  return { ...head, rows: rows.map((row) => row.table) };
}

describe('the head follows from the events', () => {
  it('a request waits in the queue; scheduled, it is runnable; claimed, it is owned; parked, it is due', () => {
    const given = Given.of('operators:\n  d: { type: delay, for: 1h }');
    expect(heads(given.log.slice(0, 1))).toEqual({ owner: null, runnableAt: null, claims: 0, rows: ['queue'] });
    expect(heads(given.log.slice(0, 2))).toEqual({ owner: null, runnableAt: 'now', claims: 0, rows: [] });
    expect(heads(given.log)).toEqual({ owner: 'e1', runnableAt: null, claims: 1, rows: [] });
    given.decide();
    expect(heads(given.log)).toEqual({ owner: null, runnableAt: '2026-11-23T11:00:00.000Z', claims: 0, rows: [] });
  });

  it('owner and rows are those of the state at every event, and nothing is left at the end', () => {
    const given = Given.of(`
operators:
  t: { type: user-task }
  r: { type: receive, message: paid }
  a: { type: http, method: POST, url: "https://x", recovery: ask }
`);
    given.decide();
    given.end('a', { status: 'unknown', reason: 'cut' });
    expect(heads(given.log).rows.sort()).toEqual(['incident', 'receiver', 'task']);
    given.command({ kind: 'receiveMessage', messageId: 'm', name: 'paid', payload: 1 });
    given.command({
      kind: 'answerTask',
      taskId: given.event('TaskAssigned')?.taskId ?? '',
      answer: 1,
      by: { id: 'bob' },
    });
    const incidentId = given.event('IncidentRaised')?.incidentId ?? '';
    expect(heads(given.log).rows).toEqual(['incident']);
    given.command({ kind: 'resolveIncident', incidentId, action: 'rerun', by: { id: 'bob' } });
    expect(heads(given.log)).toMatchObject({ owner: 'e1', rows: [] });
    given.completes('a', { status: 200 });
    expect(heads(given.log)).toEqual({ owner: null, runnableAt: null, claims: 0, rows: [] });
  });

  it('a takeover that records nothing but that an outcome is unknown is no progress', () => {
    const given = Given.of('operators:\n  a: { type: http, method: POST, url: "https://x", recovery: rerun }');
    given.decide();
    given.takenOverBy('e2');
    given.takenOverBy('e3');
    expect(heads(given.log).claims).toBe(3);
    given.completes('a', { status: 200 });
    expect(heads(given.log).claims).toBe(0);
  });

  it('whatever comes from outside makes a parked process runnable', () => {
    const by = { id: 'bob' };
    const outside: ProcessEvent[] = [
      { type: 'ProcessCancelRequested', data: { by } },
      { type: 'ProcessPaused', data: { by } },
      { type: 'ProcessResumed', data: { by } },
      { type: 'ProcessRetried', data: { by, paths: [] } },
      { type: 'TaskAnswered', data: { taskId: 't', path: 'a', answer: 1, by } },
      { type: 'MessageReceived', data: { messageId: 'm', name: 'n', payload: 1 } },
      { type: 'JobDone', data: { path: 'a', attempt: 1, result: {} } },
      { type: 'CommandDone', data: { path: 'a', attempt: 1, result: {} } },
      { type: 'ChildEnded', data: { child: 'c', path: 'a', attempt: 1, status: 'completed' } },
      { type: 'IncidentResolved', data: { incidentId: 'i', action: 'rerun', by } },
      { type: 'OperatorAdmitted', data: { path: 'a' } },
    ];
    for (const event of outside) expect(headChangeOf(event).runnableAt, event.type).toBe('now');
  });

  it("a receiver that was given its message stands in no other receiver's way, also while its process is paused", () => {
    const given = Given.of('operators:\n  r: { type: receive, message: paid, key: "42" }');
    given.decide();
    expect(heads(given.log).rows).toEqual(['receiver']);
    given.command({ kind: 'pause', by: { id: 'bob' } });
    given.command({ kind: 'receiveMessage', messageId: 'm', name: 'paid', key: '42', path: 'r', payload: 1 });
    expect(given.log.map((event) => event.type)).toContain('MessageReceived');
    expect(heads(given.log).rows).toEqual([]);
  });
});
