import { evolve, initialState, type Json, type ProcessEvent } from '@baton/process';
import { expect, it } from 'vitest';
import { longestData } from '../effects/output.limits.js';
import { largeOutputs, refer } from './large.outputs.js';

const completed = (path: string, output: Json): ProcessEvent => ({
  type: 'OperatorCompleted',
  data: { path, attempt: 1, output },
});
const long: Json = { list: ['x'.repeat(longestData)] };

it('finds what is too long for an event, but for what an effect gave: that was put away by its runner', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const outcome = { path: 'effect', attempt: 1, startedAt: at, endedAt: at, result: { status: 'completed' } } as const;
  const events = [completed('loop', long), completed('effect', long), completed('small', { list: ['x'] })];
  expect(largeOutputs(events, [outcome]).map((one) => one.event.path)).toEqual(['loop']);
});

it('puts the same reference into the event and into the state, so that live and replay agree', () => {
  const event = completed('loop', long);
  const live = initialState('p');
  evolve(live, event);
  const [found] = largeOutputs([event], []);
  if (found === undefined) throw new Error('nothing was found');
  expect(refer(found, { digest: 'd', size: 300_000 }, live)).toEqual({ digest: 'd', value: long });
  const reference = { $artifact: { digest: 'd', size: 300_000, mediaType: 'application/json' } };
  expect(event.data).toMatchObject({ output: reference });
  const replayed = initialState('p');
  evolve(replayed, event);
  expect(live.operators.get('loop')?.output).toEqual(reference);
  expect(replayed.operators.get('loop')?.output).toEqual(live.operators.get('loop')?.output);
});
