import { newProcessId, PostgresTail, uuidv7 } from '@baton/event-log';
import type { ProcessEvent } from '@baton/process';
import { untilSettled } from '@baton/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cell } from '../testing/cell.fixture.js';
import { originsIn, TracedTail } from './traced-tail.js';

const callerTrace = 'a'.repeat(32);
const caller = `00-${callerTrace}-${'b'.repeat(16)}-01`;
const another = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
const requested: ProcessEvent = {
  type: 'ProcessRequested',
  data: {
    definition: { name: 'default/x', version: 1, digest: 'd' },
    environment: null,
    inputs: {},
    priority: 5,
    labels: {},
    requester: { id: 'spec', groups: [] },
  },
};

let cell: Cell;
const traced = newProcessId('c1');
const plain = newProcessId('c1');
beforeAll(async () => {
  cell = await Cell.open();
  await append(traced, 'none', requested, { traceparent: caller });
  await append(plain, 'none', requested, {});
  // What a later command brings along is not where the process came from.
  for (const stream of [traced, plain])
    await append(stream, 1, { type: 'ProcessScheduled', data: {} }, { traceparent: another });
  await untilSettled(cell.pool);
});
afterAll(() => cell.close());

async function append(
  stream: string,
  expected: number | 'none',
  event: ProcessEvent,
  metadata: { traceparent?: string },
): Promise<void> {
  const [result] = await cell.log.append([{ stream, expected, events: [{ id: uuidv7(), event, metadata }] }]);
  if (result?.status !== 'appended') throw new Error(`an event of ${stream} was refused`);
}

it('where a process came from is what its request brought along, and only that', async () => {
  const origins = originsIn(cell.pool, cell.ids);
  expect(await origins([traced, plain, newProcessId('c1')])).toEqual(new Map([[traced, caller]]));
  expect(await origins([])).toEqual(new Map());
});

it('a publisher that begins in the middle of a process names the same trace as one that read it from its beginning', async () => {
  const tail = new PostgresTail(cell.pool, 'c1');
  const from = () => new TracedTail({ tail, origins: originsIn(cell.pool, cell.ids), sampler: () => true });
  const whole = await from().readStored(null, 100);
  const begun = await tail.read(null, 2);
  const rest = await from().readStored(begun.position, 100);
  expect(rest.events.map(({ stream, type }) => [stream, type])).toEqual([
    [traced, 'ProcessScheduled'],
    [plain, 'ProcessScheduled'],
  ]);
  const named = rest.events.map(({ traceparent }) => traceparent);
  expect(named).toEqual(whole.events.slice(2).map(({ traceparent }) => traceparent));
  const traces = named.map((traceparent) => traceparent?.slice(3, 35));
  expect(traces[0]).toBe(callerTrace);
  expect(traces[1]).not.toBe('c'.repeat(32));
});
