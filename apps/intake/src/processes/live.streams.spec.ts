import type { RecordedEvent } from '@baton/process';
import { expect, test } from 'vitest';
import { LiveStreams } from './live.streams.js';

function event(stream: string, sequence: number): RecordedEvent {
  const recorded = { id: `${sequence}`, stream, sequence, recordedAt: '', schemaVersion: 1, logIncarnation: 1 };
  return { type: 'ProcessScheduled', data: {}, metadata: {}, ...recorded };
}

/** A log in memory, and timers that run when the test says so. */
function setUp() {
  const events: RecordedEvent[] = [];
  const timers: { ms: number; work: () => void }[] = [];
  const errors: unknown[] = [];
  let away = false;
  let hint: (topic: string, detail: string) => void = () => undefined;
  const streams = new LiveStreams({
    log: {
      readMany: async (asked) => {
        if (away) throw new Error('away');
        return new Map(
          asked.map(({ stream, after }) => [stream, events.filter((e) => e.stream === stream && e.sequence > after)]),
        );
      },
    },
    wakeUp: {
      listen: (listener) => {
        hint = listener;
        return () => undefined;
      },
    },
    pollMs: () => 1000,
    onError: (error) => errors.push(error),
    later: (ms, work) => {
      const timer = { ms, work };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  });
  streams.start();
  const tick = async () => {
    for (const timer of timers.splice(0)) timer.work();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const setAway = (value: boolean) => {
    away = value;
  };
  return { streams, events, timers, errors, tick, setAway, hint: (detail: string) => hint('owned', detail) };
}

test('a subscriber gets every event after its position once and in order, with no hint at all (invariant 1)', async () => {
  const { streams, events, tick } = setUp();
  const seen: number[] = [];
  events.push(event('p', 1), event('p', 2));
  streams.subscribe('p', 1, (fresh) => seen.push(...fresh.map((e) => e.sequence)));
  await tick();
  events.push(event('p', 3), event('q', 1));
  await tick();
  await tick();
  expect(seen).toEqual([2, 3]);
});

test('a database that is away delays and ends nothing (invariant 2)', async () => {
  const { streams, events, tick, setAway, errors } = setUp();
  const seen: number[] = [];
  streams.subscribe('p', 0, (fresh) => seen.push(...fresh.map((e) => e.sequence)));
  setAway(true);
  events.push(event('p', 1));
  await tick();
  expect([seen.length, errors.length]).toEqual([0, 1]);
  setAway(false);
  await tick();
  expect(seen).toEqual([1]);
});

test('a hint about a watched process makes the next look sooner, one about another does not (invariant 3)', async () => {
  const { streams, tick, timers, hint } = setUp();
  streams.subscribe('p', 0, () => undefined);
  await tick();
  expect(timers.map((timer) => timer.ms)).toEqual([1000]);
  hint('q');
  expect(timers.map((timer) => timer.ms)).toEqual([1000]);
  hint('p');
  expect(timers.map((timer) => timer.ms)).toEqual([15]);
});

test('nobody watches, nothing is asked', async () => {
  const { streams, tick, timers } = setUp();
  const end = streams.subscribe('p', 0, () => undefined);
  end();
  await tick();
  expect(timers).toEqual([]);
});
