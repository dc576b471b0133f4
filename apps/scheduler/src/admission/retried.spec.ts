import { PostgresProcessViews } from '@baton/event-log';
import type { ProcessEvent } from '@baton/process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cell } from '../testing/cell.fixture.js';

let cell: Cell;
beforeAll(async () => {
  cell = await Cell.open();
});
afterAll(() => cell.close());

const claimed: ProcessEvent = { type: 'ProcessStarted', data: { executor: 'x' } };
const failed: ProcessEvent = {
  type: 'ProcessFailed',
  data: { error: { code: 'c', message: 'm' }, compensated: [], notUndone: [] },
};

it('a retried process queues for the slot of its key, whatever its onLimit, and keeps the one it is given', async () => {
  const concurrency = { key: 'web', limit: 1, onLimit: 'reject' } as const;
  const admission = cell.admission();
  const first = await cell.request({ concurrency });
  await admission.round();
  await cell.follow(first, claimed, failed);
  await cell.slots.free([first]);
  const second = await cell.request({ concurrency });
  await admission.round();
  await cell.commands.handle(first, { kind: 'retry', by: { id: 'p' } });
  const views = new PostgresProcessViews(cell.pool, 'c1');
  await views.apply(await cell.log.read(first));
  const { items } = await views.list({ limit: 10 });
  expect(items.find((item) => item.id === first)?.status).toBe('queued');
  await admission.round();
  expect((await cell.types(first)).at(-1)).toBe('ProcessRetried');

  await cell.end(second);
  await cell.slots.free([second]);
  await admission.round();
  expect((await cell.types(first)).at(-1)).toBe('ProcessScheduled');
  // Its first end is heard of late: the slot is that of its second run.
  expect(await cell.slots.free([first])).toBe(false);
  const third = await cell.request({ concurrency: { ...concurrency, onLimit: 'queue' } });
  await admission.round();
  expect(await cell.types(third)).toEqual(['ProcessRequested']);
});
