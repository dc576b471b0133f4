import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { processEventTypes, schemaVersions } from '../events/event-types.js';
import { headChangeOf } from '../head/head-change.js';
import { evolve } from '../state/evolve.js';
import { initialState } from '../state/process-state.js';
import { fromSnapshot, toSnapshot } from '../state/snapshot.js';
import { upcast, type WrittenEvent } from './upcast.js';

const folder = fileURLToPath(new URL('../../../../test/golden/events/', import.meta.url));
const names = processEventTypes.flatMap((type) =>
  Array.from({ length: schemaVersions[type] }, (_, index) => `${type}.v${index + 1}.json`),
);
const sample = (name: string) => JSON.parse(readFileSync(folder + name, 'utf8')) as WrittenEvent;

it('there is one golden sample of every version of every event type, and no other', () => {
  expect(readdirSync(folder).sort()).toEqual(names.sort());
});

describe.each(names)('%s', (name) => {
  it('is understood, folded, kept by a snapshot, and has a head change', () => {
    const written = sample(name);
    const read = upcast(written);
    if ('refused' in read) throw new Error(read.refused.reason);
    expect(read.event.type).toBe(written.type);
    const requested = upcast(sample('ProcessRequested.v1.json'));
    if ('refused' in requested) throw new Error(requested.refused.reason);
    const state = evolve(initialState('c1-x'), requested.event);
    if (written.type !== 'ProcessRequested') evolve(state, read.event);
    const restored = fromSnapshot(JSON.parse(JSON.stringify(toSnapshot(state))));
    expect(restored && toSnapshot(restored)).toEqual(toSnapshot(state));
    expect(Array.isArray(headChangeOf(read.event).rows)).toBe(true);
  });
});

describe('events of other releases', () => {
  it('of an unknown type are refused: an executor never claims what it does not understand', () => {
    expect(upcast({ type: 'ProcessDreamt', schemaVersion: 1, data: {} })).toMatchObject({
      refused: { code: 'unknown-type' },
    });
    expect(upcast({ type: 'toString', schemaVersion: 1, data: {} })).toMatchObject({
      refused: { code: 'unknown-type' },
    });
  });
  it('of a later version are refused', () => {
    expect(upcast({ type: 'ProcessScheduled', schemaVersion: 2, data: {} })).toMatchObject({
      refused: { code: 'later-version' },
    });
    expect(upcast({ type: 'ProcessScheduled', schemaVersion: 0, data: {} })).toMatchObject({
      refused: { code: 'invalid-version' },
    });
  });
  it('of an older version pass through every step between', () => {
    const versions = { ...schemaVersions, ProcessStarted: 3 };
    const steps = {
      ProcessStarted: {
        1: (data: object) => ({ ...data, a: 1 }),
        2: (data: object) => ({ ...data, b: 2 }),
      },
    };
    const old = { type: 'ProcessStarted', schemaVersion: 1, data: { executor: 'e' } };
    expect(upcast(old, steps, versions)).toEqual({
      event: { type: 'ProcessStarted', data: { executor: 'e', a: 1, b: 2 } },
    });
    expect(upcast(old, {}, versions)).toMatchObject({ refused: { code: 'invalid-version' } });
  });
});

it('a snapshot of another shape is ignored', () => {
  const snapshot = toSnapshot(initialState('c1-x'));
  expect(fromSnapshot({ ...snapshot, shape: 0 })).toBe(undefined);
  expect(fromSnapshot({ ...snapshot, state: {} })).toBe(undefined);
  expect(fromSnapshot(null)).toBe(undefined);
});
