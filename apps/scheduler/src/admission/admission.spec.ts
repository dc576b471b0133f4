import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Cell } from '../testing/cell.fixture.js';
import { admissionKey } from './admission.js';

let cell: Cell;
beforeAll(async () => {
  cell = await Cell.open();
});
afterAll(() => cell.close());
beforeEach(() => cell.empty());

const scheduled = ['ProcessRequested', 'ProcessScheduled'];
const keyed = (onLimit: 'queue' | 'reject' | 'skip' | 'cancelOldest', limit = 1) => ({
  concurrency: { key: 'web', limit, onLimit },
});
async function waiting(streams: string[]): Promise<string[]> {
  const types = await Promise.all(streams.map((stream) => cell.types(stream)));
  return streams.filter((_, at) => types[at]!.length === 1);
}

describe('admission', () => {
  it('schedules what is due in one append, and tells the executors', async () => {
    const streams = [await cell.request(), await cell.request(), await cell.request()];
    await cell.admission().round();
    for (const stream of streams) expect(await cell.types(stream)).toEqual(scheduled);
    expect(cell.hints).toEqual(['runnable']);
    const events = await Promise.all(streams.map((stream) => cell.log.read(stream, 1)));
    expect(new Set(events.map(([event]) => event!.recordedAt)).size).toBe(1);
    expect((await cell.queue.look(10, 10)).candidates).toEqual([]);
  });

  it('reads nothing of those that were only requested, and is refused where something came meanwhile', async () => {
    const [plain, cancelled] = [await cell.request(), await cell.request()];
    const read: string[] = [];
    const admission = cell.admission({
      log: {
        readMany: (wanted) => {
          read.push(...wanted.map(({ stream }) => stream));
          return cell.log.readMany(wanted);
        },
        appendEach: async (appends) => {
          await cell.commands.handle(cancelled, { kind: 'cancel', by: { id: 'p' } });
          return cell.log.appendEach(appends);
        },
      },
    });
    await admission.round();
    expect(read).toEqual([]);
    expect(await cell.types(plain)).toEqual(scheduled);
    expect(await cell.types(cancelled)).toEqual(['ProcessRequested', 'ProcessCancelRequested']);
  });

  it('is busy while several come at once, and not when they come one by one', async () => {
    const admission = cell.admission();
    await cell.request();
    await admission.round();
    expect(admission.isBusy).toBe(false);
    for (let n = 0; n < 5; n += 1) await cell.request();
    await admission.round();
    expect(admission.isBusy).toBe(true);
    await admission.round();
    expect(admission.isBusy).toBe(false);
  });

  it('goes by priority, then by age', async () => {
    const old = await cell.request();
    const young = await cell.request();
    const urgent = await cell.request({ priority: 9 });
    const one = cell.admission({ batch: 1 });
    expect(await one.round()).toBe('again');
    expect(await waiting([old, young, urgent])).toEqual([old, young]);
    await one.round();
    expect(await waiting([old, young, urgent])).toEqual([young]);
  });

  it('leaves what has a start time until then, and says when that is', async () => {
    const later = await cell.request({ startAt: new Date(Date.now() + 60_000).toISOString() });
    const past = await cell.request({ startAt: new Date(Date.now() - 60_000).toISOString() });
    const next = await cell.admission().round();
    expect(next).toBeGreaterThan(50_000);
    expect(await waiting([later, past])).toEqual([later]);
  });

  it('holds a key to its limit, and admits the next after an end', async () => {
    const streams = [await cell.request(keyed('queue')), await cell.request(keyed('queue')), await cell.request()];
    const admission = cell.admission();
    await admission.round();
    expect(await waiting(streams)).toEqual([streams[1]]);
    await admission.round();
    expect(await waiting(streams)).toEqual([streams[1]]);
    await cell.end(streams[0]!);
    expect(await cell.slots.free([streams[0]!])).toBe(true);
    await admission.round();
    expect(await waiting(streams)).toEqual([]);
  });

  it('ends what is rejected or skipped at the limit, with the reason', async () => {
    await cell.request(keyed('queue'));
    await cell.admission().round();
    const rejected = await cell.request(keyed('reject'));
    const skipped = await cell.request(keyed('skip'));
    await cell.admission().round();
    const [, failure] = await cell.log.read(rejected);
    expect(failure).toMatchObject({ type: 'ProcessFailed', data: { error: { code: 'concurrency-limit' } } });
    expect((await cell.log.read(skipped))[1]).toMatchObject({
      type: 'ProcessCancelled',
      data: { reason: 'The concurrency key "web" was at its limit of 1 (onLimit: skip).' },
    });
    expect((await cell.queue.look(10, 10)).candidates).toEqual([]);
  });

  it('cancels as many of the oldest as newer ones wait, once, and admits these after their ends', async () => {
    const oldest = await cell.request(keyed('cancelOldest', 2));
    await cell.admission().round();
    const second = await cell.request(keyed('cancelOldest', 2));
    await cell.admission().round();
    const newest = await cell.request(keyed('cancelOldest', 2));
    await cell.admission().round();
    await cell.admission().round();
    expect(await cell.types(oldest)).toEqual([...scheduled, 'ProcessCancelRequested']);
    expect(await cell.types(second)).toEqual(scheduled);
    expect(await waiting([newest])).toEqual([newest]);
    await cell.end(oldest, { type: 'ProcessCancelled', data: { compensated: [], notUndone: [] } });
    await cell.slots.freeLeaked();
    await cell.admission().round();
    expect(await waiting([newest])).toEqual([]);
  });

  it('never exceeds a limit under two schedulers that crash between slot and append, and loses no slot', async () => {
    const streams: string[] = [];
    for (let i = 0; i < 12; i += 1) streams.push(await cell.request(keyed('queue', 2)));
    const crash = new Error('crashed between slot and append');
    let rounds = 0;
    const fragile = () =>
      cell.admission({
        log: {
          readMany: (wanted) => cell.log.readMany(wanted),
          appendEach: async (appends) => {
            rounds += 1;
            if (rounds % 2 === 1) throw crash;
            return cell.log.appendEach(appends);
          },
        },
      });
    const running = new Set<string>();
    let most = 0;
    for (let turn = 0; turn < 40 && (await waiting(streams)).length + running.size > 0; turn += 1) {
      const results = await Promise.allSettled([fragile().round(), fragile().round()]);
      for (const result of results) if (result.status === 'rejected') expect(result.reason).toBe(crash);
      const left = new Set(await waiting(streams));
      for (const stream of streams)
        if (!left.has(stream) && (await cell.types(stream)).length === 2) running.add(stream);
      most = Math.max(most, running.size);
      const [first] = running;
      if (first && turn % 3 === 2) {
        running.delete(first);
        await cell.end(first);
        await cell.slots.freeLeaked();
      }
    }
    expect(most).toBe(2);
    expect(await waiting(streams)).toEqual([]);
  });
});

describe('the admission limit', () => {
  it('bounds the processes that run at once, but not their children', async () => {
    const admission = cell.admission({ maxRunning: () => 2 });
    const streams: string[] = [];
    for (let i = 0; i < 4; i += 1) streams.push(await cell.request());
    const parent = { id: streams[0]!, path: 'sub', attempt: 1, onParentEnd: 'cancel' as const };
    const child = await cell.request({ parent });
    await Promise.all([admission.round(), cell.admission({ maxRunning: () => 2 }).round()]);
    expect(await waiting([...streams, child])).toEqual(streams.slice(2));
    await cell.end(streams[1]!);
    await cell.slots.free([streams[1]!]);
    await admission.round();
    expect(await waiting(streams)).toEqual([streams[3]]);
  });

  it('leaves a process queued, whatever its onLimit, when only the admission limit is reached', async () => {
    const admission = cell.admission({ maxRunning: () => 1 });
    await cell.request();
    await admission.round();
    const stream = await cell.request(keyed('reject'));
    await admission.round();
    expect(await waiting([stream])).toEqual([stream]);
    const { rows } = await cell.pool.query('select key from slot');
    expect(rows).toEqual([{ key: admissionKey }]);
  });

  it('admits children beyond the admission limit also from behind a queue longer than a round, or their parents wait forever', async () => {
    const admission = cell.admission({ maxRunning: () => 1, batch: 3 });
    const parent = await cell.request();
    await admission.round();
    expect(await cell.types(parent)).toEqual(scheduled);
    const backlog: string[] = [];
    for (let n = 0; n < 8; n += 1) backlog.push(await cell.request({ priority: 6 }));
    const of = (path: string) => ({ id: parent, path, attempt: 1, onParentEnd: 'cancel' as const });
    const child = await cell.request({ parent: of('a') });
    const keyedChild = await cell.request({ ...keyed('queue'), parent: of('b') });
    await admission.round();
    expect(await cell.types(child)).toEqual(scheduled);
    expect(await cell.types(keyedChild)).toEqual(scheduled);
    expect(await waiting(backlog)).toEqual(backlog);
  });
});
