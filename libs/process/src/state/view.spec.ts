import { expect, it } from 'vitest';
import { Given, start } from '../decide/given.spec-helper.js';
import { evolve } from './evolve.js';
import { initialState } from './process-state.js';
import { statusOf, viewOf } from './view.js';
import { why } from './why.js';

const by = { id: 'bob' };
const text = `
operators:
  a: { type: http, method: POST, url: "https://x", recovery: ask, compensate: { type: http, method: POST, url: "https://u", recovery: rerun } }
  b: { type: delay, after: [a], for: 1h }
`;

it('a process has the words of design 9', () => {
  const given = Given.of(text);
  const queued = initialState();
  const request = given.log[0];
  if (request?.type !== 'ProcessRequested') throw new Error('expected a request');
  evolve(queued, { ...request, data: { ...request.data, startAt: '2026-11-24T00:00:00.000Z' } });
  expect(statusOf(queued)).toBe('queued');
  given.decide();
  expect(statusOf(given.state)).toBe('running');
  given.end('a', { status: 'unknown', reason: 'cut' });
  expect(statusOf(given.state)).toBe('incident');
  given.command({
    kind: 'resolveIncident',
    incidentId: given.event('IncidentRaised')?.incidentId ?? '',
    action: 'rerun',
    by,
  });
  given.completes('a', { status: 200 });
  expect(statusOf(given.state)).toBe('waiting');
  given.command({ kind: 'pause', by });
  expect(statusOf(given.state)).toBe('paused');
  given.command({ kind: 'cancel', by });
  expect(statusOf(given.state)).toBe('compensating');
  given.completes('a/compensate', { status: 200 });
  expect(statusOf(given.state)).toBe('cancelled');
});

it('the view has every operator with what it came to', () => {
  const given = Given.of(text);
  given.decide();
  given.completes('a', { status: 200 });
  const view = viewOf(given.replayed());
  expect(view).toMatchObject({
    definition: 't/test',
    version: 1,
    status: 'waiting',
    requestedAt: new Date(start).toISOString(),
    endedAt: null,
  });
  expect(view.operators).toMatchObject([
    { path: 'a', type: 'http', status: 'completed', attempt: 1, output: { status: 200 } },
    { path: 'b', type: 'delay', status: 'waiting', attempt: 1 },
  ]);
});

it('why says what it waits for, and until when', () => {
  const given = Given.of(text);
  given.decide();
  expect(why(given.state, given.now).because).toEqual([
    `a runs (attempt 1) at executor e1, since ${new Date(start).toISOString()}.`,
  ]);
  given.end('a', { status: 'unknown', reason: 'cut' });
  expect(why(given.state, given.now)).toEqual({
    summary: 'The process is incident.',
    because: [
      'An incident at a waits for a person (rerun, skip, fail): Attempt 1 of a may or may not have happened: cut.',
    ],
  });
  given.command({
    kind: 'resolveIncident',
    incidentId: given.event('IncidentRaised')?.incidentId ?? '',
    action: 'skip',
    by,
  });
  expect(why(given.state, given.now).because).toEqual([`b waits until ${new Date(start + 3_600_000).toISOString()}.`]);
  given.command({ kind: 'cancel', by, reason: 'enough' });
  expect(why(given.state, given.now)).toEqual({
    summary: 'The process is cancelled.',
    because: ['bob cancelled it: enough.', 'May have happened and was not undone: a.'],
  });
});
