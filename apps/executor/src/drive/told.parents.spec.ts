import { expect, it } from 'vitest';
import { ManualClock } from '../clock/manual.clock.fixture.js';
import { Aftermath } from './aftermath.js';
import { BackgroundWork } from './background.work.js';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const parent = { id: 'c1-parent', path: 'sub', attempt: 1 };

/** A child ends; what its parent answers, one answer after the other. Returns the children that were marked as told. */
async function endWith(answers: (() => unknown)[]): Promise<string[]> {
  const clock = new ManualClock();
  const told: string[] = [];
  const work = new BackgroundWork({ clock, random: () => 0.5, logger: quiet });
  const aftermath = new Aftermath(
    {
      log: {
        read: async () => [],
        readToFold: async () => [],
        readWholeToFold: async () => new Map(),
        readMany: async () => new Map(),
        heads: async () => new Map(),
      },
      commands: {
        handle: async () => answers.shift()?.(),
        markTold: async (child) => {
          told.push(child);
        },
      },
      definitions: { load: async () => null, requestChild: async () => ({ error: { code: 'x', message: 'x' } }) },
      newId: () => 'id',
      artifacts: { load: async () => null, put: async () => ({ digest: '', size: 0 }) },
      wakeUp: { notify: () => undefined },
      logger: quiet,
      appender: { append: async () => ({ status: 'refused' }) },
    },
    work,
    'me',
  );
  aftermath.ended('c1-child', { parent, status: 'completed', outputs: 1 });
  await clock.pass(10_000);
  return told;
}

it('marks a child as told only after its parent was told, however often that fails before (F3)', async () => {
  const away = () => {
    throw new Error('the database is away');
  };
  expect(await endWith([away, away, () => ({ status: 'done', version: 4, events: [] })])).toEqual(['c1-child']);
});

it('counts as told a parent that knows it already, has ended, or waits no more', async () => {
  for (const code of ['already-done', 'ended', 'not-open'])
    expect(await endWith([() => ({ status: 'refused', refusal: { code, reason: '' } })])).toEqual(['c1-child']);
});

it('leaves to the scan a child whose parent cannot be told now', async () => {
  expect(await endWith([() => ({ status: 'refused', refusal: { code: 'conflict', reason: '' } })])).toEqual([]);
});
