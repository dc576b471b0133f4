import { evolve, initialState, type ProcessEvent, type RecordedEvent } from '@baton/process';
import { expect, it } from 'vitest';
import type { Folded } from '../drive/stream.loader.js';
import { isFirstDeath, readOrphans } from './orphan.history.js';
import { countDeaths } from './quarantine.js';

const stream = 'c1-00000000-0000-7000-8000-000000000001';

function recorded(events: readonly ProcessEvent[]): RecordedEvent[] {
  return events.map((event, index) => ({
    ...event,
    id: `e${index}`,
    stream,
    sequence: index + 1,
    recordedAt: '2026-01-01T00:00:00.000Z',
    schemaVersion: 1,
    logIncarnation: 1,
    metadata: {},
  }));
}

function foldedFrom(events: readonly RecordedEvent[]): Folded {
  return { state: events.reduce((state, event) => evolve(state, event), initialState(stream)), version: events.length };
}

const started: ProcessEvent = { type: 'ProcessStarted', data: { executor: 'x' } };
const begun = (path: string, executor: string, attempt = 1): ProcessEvent => ({
  type: 'OperatorStarted',
  data: { path, type: 'http', class: 'effect', attempt, executor },
});
const done = (path: string): ProcessEvent => ({ type: 'OperatorCompleted', data: { path, attempt: 1 } });
const retried = (path: string): ProcessEvent => ({
  type: 'OperatorRetryScheduled',
  data: { path, attempt: 2, dueAt: '2026-01-01T00:00:00.000Z' },
});
const takenOver: ProcessEvent = {
  type: 'ProcessTakenOver',
  data: { executor: 'y', from: 'x', eventsFolded: 1, operatorsPassedOver: 0, deaths: 1 },
};

it.each<[name: string, owner: string, first: boolean, events: ProcessEvent[]]>([
  ['nobody died yet', 'x', true, [started, begun('a', 'x')]],
  [
    'it has made progress since somebody died',
    'y',
    true,
    [started, begun('a', 'x'), takenOver, begun('a', 'y', 2), done('a'), begun('b', 'y')],
  ],
  ['somebody died and nothing came since', 'y', false, [started, begun('a', 'x'), takenOver]],
  [
    'what runs was begun by one who died, whatever its siblings did',
    'y',
    false,
    [started, begun('a', 'x'), begun('b', 'x'), takenOver, done('b')],
  ],
  [
    'what runs was attempted before',
    'y',
    false,
    [started, begun('a', 'x'), begun('b', 'x'), takenOver, begun('a', 'y', 2), done('b')],
  ],
  [
    'what waits for its retry was attempted before',
    'y',
    false,
    [started, begun('a', 'x'), begun('b', 'x'), takenOver, begun('a', 'y', 2), retried('a'), done('b')],
  ],
])('a state alone tells of a first death when %s', (_name, owner, first, events) => {
  const { state } = foldedFrom(recorded(events));
  expect(isFirstDeath(state, owner)).toBe(first);
  if (first) expect(countDeaths(recorded(events), 3).count).toBe(1);
});

it('reads a long process whole only where its snapshot does not tell, and leaves out what has moved on', async () => {
  const events = recorded([started, begun('a', 'x'), done('a'), begun('b', 'x')]);
  const died = recorded([started, begun('a', 'x'), takenOver]);
  const whole: string[] = [];
  const loader = {
    fromSnapshot: async (id: string) => (id === 'without' ? null : foldedFrom(id === 'died' ? died : events)),
    readWhole: async (looked: readonly { stream: string }[]) => {
      const ids = looked.map(({ stream }) => stream);
      whole.push(...ids);
      return new Map(
        ids.map((id) => [
          id,
          { folded: foldedFrom(id === 'died' ? died : events), events: id === 'died' ? died : events },
        ]),
      );
    },
  };
  const known = await readOrphans(
    loader,
    [
      { stream: 'with', version: 4, owner: 'x', claims: 1 },
      { stream: 'without', version: 4, owner: 'x', claims: 1 },
      { stream: 'died', version: 3, owner: 'y', claims: 1 },
      { stream: 'moved', version: 3, owner: 'x', claims: 1 },
    ],
    3,
  );
  expect(known.map(({ orphan, deaths }) => [orphan.stream, deaths])).toEqual([
    ['with', 1],
    ['without', 1],
    ['died', 2],
  ]);
  expect(known.map(({ passedOver }) => passedOver)).toEqual([1, 1, 0]);
  expect(whole).toEqual(['without', 'died']);
});
