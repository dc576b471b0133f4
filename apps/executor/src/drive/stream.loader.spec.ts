import { MemoryCell, newProcessId } from '@baton/event-log';
import { initialState, type ProcessEvent, type ProcessEventData, snapshotText, stateShape } from '@baton/process';
import { expect, it } from 'vitest';
import { EventNotUnderstood, StreamLoader } from './stream.loader.js';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const requested: ProcessEventData['ProcessRequested'] = {
  definition: { name: 'default/x', version: 1, digest: 'd' },
  environment: null,
  inputs: {},
  priority: 5,
  labels: {},
  requester: { id: 'spec', groups: [] },
};

let lastId = 0;
async function streamOf(cell: MemoryCell, ...rest: ProcessEvent[]): Promise<string> {
  const stream = newProcessId('c1');
  const all: ProcessEvent[] = [{ type: 'ProcessRequested', data: requested }, ...rest];
  const items = all.map((event) => {
    lastId += 1;
    return { id: `e${lastId}`, event, metadata: {} };
  });
  await cell.log.append([{ stream, expected: 'none', events: items }]);
  return stream;
}
const loaderOver = (cell: MemoryCell) =>
  new StreamLoader({ log: cell.log, snapshots: cell.snapshots, logger: quiet }, { snapshotEvery: 4 });

it('gives the others of a batch when one stream cannot be folded', async () => {
  const cell = new MemoryCell({ now: Date.now });
  const good = await streamOf(cell, { type: 'ProcessScheduled', data: {} });
  const gap = await streamOf(
    cell,
    { type: 'ProcessScheduled', data: {} },
    { type: 'ProcessStarted', data: { executor: 'x' } },
  );
  const long = await streamOf(
    cell,
    ...Array.from({ length: 5 }, (): ProcessEvent => ({ type: 'ProcessScheduled', data: {} })),
  );
  for (const broken of [gap, long]) cell.state.streams.get(broken)!.events.splice(1, 1);
  const loaded = await loaderOver(cell).loadMany([
    { stream: gap, version: 3 },
    { stream: good, version: 2 },
    { stream: long, version: 6 },
  ]);
  expect(loaded.get(good)?.version).toBe(2);
  expect(loaded.get(gap)).toBeNull();
  expect(loaded.get(long)).toBeNull();
  await expect(loaderOver(cell).load(gap, 3)).rejects.toBeInstanceOf(EventNotUnderstood);
});

it('folds from the start when a snapshot can be read and yet does not fit the stream', async () => {
  const cell = new MemoryCell({ now: Date.now });
  const rest = Array.from({ length: 5 }, (): ProcessEvent => ({ type: 'ProcessScheduled', data: {} }));
  const stream = await streamOf(cell, ...rest);
  await cell.snapshots.save(stream, stateShape, 40, snapshotText(initialState(stream)));
  const loaded = await loaderOver(cell).load(stream, 6);
  expect(loaded.version).toBe(6);
  expect(loaded.state.requested).toBe(true);
});

it('goes on from what it parked, and from the log when that was restored since', async () => {
  const cell = new MemoryCell({ now: Date.now });
  const again = (): ProcessEvent => ({ type: 'ProcessScheduled', data: {} });
  const stream = await streamOf(cell, ...Array.from({ length: 120 }, again));
  const last = `e${lastId}`;
  const read: number[] = [];
  const { log, snapshots } = cell;
  const loader = new StreamLoader(
    {
      log: {
        readToFold: (...given) => log.readToFold(...given),
        readWholeToFold: (...given) => log.readWholeToFold(...given),
        readMany: (streams) => {
          read.push(...streams.map(({ after }) => after));
          return log.readMany(streams);
        },
      },
      snapshots,
      logger: quiet,
    },
    { snapshotEvery: 1_000 },
  );
  const parked = await loader.load(stream, 121);
  loader.keep(stream, parked, last);
  await log.append([{ stream, expected: 121, events: [{ id: 'later', event: again(), metadata: {} }] }]);
  expect((await loader.load(stream, 122)).version).toBe(122);
  expect(read).toEqual([120]);
  // Taken is taken: who drives it may change it.
  expect((await loader.load(stream, 122)).version).toBe(122);
  expect(read).toEqual([120]);

  const other = await loader.load(stream, 122);
  other.state.paused = true;
  loader.keep(stream, other, 'of the log before it was restored');
  expect((await loader.load(stream, 122)).state.paused).toBe(false);
});
