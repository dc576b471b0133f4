import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClaimSource, EventLog, ExecutorRegistry, SnapshotStore, Tail } from '../event-log.port.js';
import { BadEvent } from '../event-log.port.js';
import { newProcessId } from '../process-id.js';
import {
  completed,
  operatorCompleted,
  operatorStarted,
  parked,
  requested,
  scheduled,
  startedBy,
  takenOver,
} from './sample-events.js';

export interface LogUnderTest {
  log: EventLog;
  claims: ClaimSource;
  executors: Pick<ExecutorRegistry, 'join' | 'heartbeat' | 'leave'>;
  tail: Tail;
  snapshots: SnapshotStore;
  close(): Promise<void>;
}

/** What every adapter of the event log promises. Run on the one in memory and on PostgreSQL. */
export function eventLogContract(name: string, open: () => Promise<LogUnderTest>): void {
  describe(`the event log, ${name}`, () => {
    let under: LogUnderTest;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under.close());
    const id = (): string => newProcessId('c1');
    async function running(executor: string): Promise<string> {
      const stream = id();
      await under.log.append([{ stream, expected: 'none', events: [requested(), scheduled()] }]);
      await under.log.append([{ stream, expected: 2, owner: null, events: [startedBy(executor)] }]);
      return stream;
    }
    async function versionOf(stream: string): Promise<number | undefined> {
      return (await under.log.heads([stream])).get(stream)?.version;
    }

    it('gives back what was appended, gapless from 1, in order', async () => {
      const stream = id();
      const events = [requested({ inputs: { text: 'ä "quoted" \\ {}, null', n: 9007199254740991 } }), scheduled()];
      const [result] = await under.log.append([{ stream, expected: 'none', events }]);
      expect(result).toMatchObject({ status: 'appended', version: 2 });
      const read = await under.log.read(stream);
      expect(read.map((e) => e.sequence)).toEqual([1, 2]);
      expect(read.map((e) => e.id)).toEqual(events.map((e) => e.id));
      expect(read[0]).toMatchObject({
        stream,
        type: 'ProcessRequested',
        data: events[0]!.event.data,
        schemaVersion: 1,
      });
      expect(await under.log.read(stream, 1)).toHaveLength(1);
      expect(await under.log.read(stream, 0, 1)).toHaveLength(1);
    });

    it('creates a stream once, however many try at the same time', async () => {
      const stream = id();
      const results = await Promise.all(
        Array.from({ length: 8 }, () => under.log.append([{ stream, expected: 'none', events: [requested()] }])),
      );
      expect(results.flat().filter((r) => r.status === 'appended')).toHaveLength(1);
      expect(await under.log.read(stream)).toHaveLength(1);
    });

    it('refuses a stale version, writes nothing of it, and lets the others of the batch through', async () => {
      const [a, b, c] = [await running('x1'), await running('x1'), await running('x1')];
      await under.log.append([{ stream: b, expected: 3, owner: 'x1', events: [operatorStarted('a', 'x1')] }]);
      const results = await under.log.append(
        [a, b, c].map((stream) => ({
          stream,
          expected: 3,
          owner: 'x1',
          events: [operatorStarted('a', 'x1'), parked()],
        })),
      );
      expect(results.map((r) => r.status)).toEqual(['appended', 'refused', 'appended']);
      expect(await versionOf(a)).toBe(5);
      expect(await versionOf(b)).toBe(4);
      expect(await under.log.read(b, 4)).toEqual([]);
      expect((await under.log.heads([b])).get(b)?.owner).toBe('x1');
    });

    it('refuses the append of an executor that was taken over, also at the right version', async () => {
      const stream = await running('x1');
      await under.log.append([{ stream, expected: 3, owner: 'x1', events: [takenOver('x2', 'x1')] }]);
      const zombie = await under.log.append([{ stream, expected: 4, owner: 'x1', events: [operatorCompleted('a')] }]);
      expect(zombie).toEqual([{ status: 'refused' }]);
      const rightful = await under.log.append([{ stream, expected: 4, owner: 'x2', events: [operatorCompleted('a')] }]);
      expect(rightful[0]!.status).toBe('appended');
    });

    it('lets one of several concurrent appends at one version through', async () => {
      const stream = await running('x1');
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          under.log.append([{ stream, expected: 3, owner: 'x1', events: [operatorStarted(`p${n}`, 'x1')] }]),
        ),
      );
      expect(results.flat().filter((r) => r.status === 'appended')).toHaveLength(1);
      expect(await versionOf(stream)).toBe(4);
    });

    it('accepts a command without an owner, and wakes with it', async () => {
      const stream = await running('x1');
      await under.log.append([{ stream, expected: 3, owner: 'x1', events: [parked()] }]);
      expect((await under.log.heads([stream])).get(stream)).toMatchObject({ owner: null, runnableAt: null });
      const by = { id: 'anna' };
      await under.log.append([
        {
          stream,
          expected: 4,
          events: [{ id: requested().id, event: { type: 'ProcessCancelRequested', data: { by } }, metadata: {} }],
        },
      ]);
      expect((await under.log.heads([stream])).get(stream)?.runnableAt).not.toBeNull();
    });

    it('isolates an event that cannot be stored: the others go through, with their own ids', async () => {
      const streams = await Promise.all(Array.from({ length: 5 }, () => running('x1')));
      const poison = { ...operatorCompleted('a', 'a\u0000b') };
      const lone = { ...operatorCompleted('a', 'a\ud800b') };
      const outcomes = await under.log.appendEach(
        streams.map((stream, n) => ({
          stream,
          expected: 3,
          owner: 'x1',
          events: [n === 2 ? poison : n === 4 ? lone : operatorCompleted('a', 'fine')],
        })),
      );
      expect(outcomes.map((o) => o.status)).toEqual(['appended', 'appended', 'bad', 'appended', 'bad']);
      expect(await versionOf(streams[2]!)).toBe(3);
      await expect(
        under.log.append([{ stream: streams[2]!, expected: 3, owner: 'x1', events: [poison] }]),
      ).rejects.toBeInstanceOf(BadEvent);
    });

    it('takes a stream once per batch', async () => {
      const stream = id();
      const twice = { stream, expected: 'none' as const, events: [requested()] };
      await expect(under.log.append([twice, twice])).rejects.toThrow(/twice/);
    });

    it('knows nothing of ids that are not of its cell', async () => {
      expect(await under.log.read('c9-00000000-0000-7000-8000-000000000000')).toEqual([]);
      expect((await under.log.heads(['nonsense', id()])).size).toBe(0);
    });

    it('shows runnable processes by priority, not those that are owned, parked or not yet due', async () => {
      const low = id();
      const high = id();
      await under.log.append([
        { stream: low, expected: 'none', events: [requested({ priority: 1 }), scheduled()] },
        { stream: high, expected: 'none', events: [requested({ priority: 9 }), scheduled()] },
      ]);
      const later = await running('x1');
      const due = new Date(Date.now() + 3_600_000).toISOString();
      await under.log.append([{ stream: later, expected: 3, owner: 'x1', events: [parked(due)] }]);
      const found = (await under.claims.lookForRunnable(1_000, { me: 'x1' })).map((r) => r.stream);
      expect(found).toContain(low);
      expect(found.indexOf(high)).toBeLessThan(found.indexOf(low));
      const others = (await under.claims.lookForRunnable(1_000, { me: 'x1', except: [high] })).map((r) => r.stream);
      expect(others).toContain(low);
      expect(others).not.toContain(high);
      expect(found).not.toContain(later);
      const next = await under.claims.nextDueAt();
      expect(Date.parse(next!)).toBeLessThanOrEqual(Date.parse(due));
      const claim = { stream: high, expected: 2, owner: null, events: [startedBy('x7')] };
      expect((await under.log.append([claim]))[0]!.status).toBe('appended');
      expect(await under.claims.ownedBy('x7')).toEqual([{ stream: high, version: 3 }]);
    });

    it('counts claims and sets them back on progress', async () => {
      const stream = await running('x1');
      expect((await under.log.heads([stream])).get(stream)?.claims).toBe(1);
      await under.log.append([{ stream, expected: 3, owner: 'x1', events: [takenOver('x2', 'x1')] }]);
      expect((await under.log.heads([stream])).get(stream)?.claims).toBe(2);
      await under.log.append([{ stream, expected: 4, owner: 'x2', events: [operatorCompleted('a')] }]);
      expect((await under.log.heads([stream])).get(stream)?.claims).toBe(0);
    });

    it('delivers by the tail every event once, in the order of its stream', async () => {
      const streams = Array.from({ length: 10 }, id);
      await Promise.all(
        streams.map(async (stream) => {
          await under.log.append([{ stream, expected: 'none', events: [requested(), scheduled()] }]);
          await under.log.append([{ stream, expected: 2, events: [startedBy('x3')] }]);
          await under.log.append([{ stream, expected: 3, owner: 'x3', events: [completed()] }]);
        }),
      );
      const seen = new Map<string, number[]>();
      let position = null as Awaited<ReturnType<Tail['read']>>['position'];
      while (streams.some((stream) => (seen.get(stream)?.length ?? 0) < 4)) {
        const page = await under.tail.read(position, 7);
        position = page.position;
        for (const event of page.events) seen.set(event.stream, [...(seen.get(event.stream) ?? []), event.sequence]);
      }
      for (const stream of streams) expect(seen.get(stream)).toEqual([1, 2, 3, 4]);
    });

    it('delivers by the tail all events of some types, and passes over the others', async () => {
      const before = await under.tail.end();
      const streams = Array.from({ length: 10 }, id);
      const seen: string[] = [];
      let position = before;
      const readOn = async (limit: number) => {
        const page = await under.tail.read(position, limit, ['ProcessScheduled', 'ProcessCompleted']);
        position = page.position;
        for (const event of page.events) if (streams.includes(event.stream)) seen.push(`${event.stream} ${event.type}`);
      };
      for (const stream of streams) {
        await under.log.append([{ stream, expected: 'none', events: [requested(), scheduled()] }]);
        await readOn(1);
        await under.log.append([{ stream, expected: 2, events: [startedBy('x3')] }]);
        await readOn(3);
        await under.log.append([{ stream, expected: 3, owner: 'x3', events: [completed()] }]);
      }
      while (seen.length < 20) await readOn(4);
      const wanted = streams.flatMap((stream) => [`${stream} ProcessScheduled`, `${stream} ProcessCompleted`]);
      expect(seen.toSorted()).toEqual(wanted.toSorted());
    });

    it('moves a checkpoint by compare-and-set only', async () => {
      const { position } = await under.tail.read(null, 1);
      const { position: later } = await under.tail.read(position, 1);
      expect(await under.tail.checkpoint('reader')).toBeNull();
      expect(await under.tail.moveCheckpoint('reader', null, position!)).toBe(true);
      expect(await under.tail.moveCheckpoint('reader', null, later!)).toBe(false);
      expect(await under.tail.moveCheckpoint('reader', position, later!)).toBe(true);
      expect(await under.tail.moveCheckpoint('reader', position, position!)).toBe(false);
      expect(await under.tail.checkpoint('reader')).toEqual(later);
    });

    it('shows what a dead executor drove, but for what is being taken over already', async () => {
      const [one, other] = [await running('nobody'), await running('nobody')];
      const orphans = async (except?: string[]): Promise<string[]> =>
        (await under.claims.lookForOrphans(1_000, except)).map(({ stream }) => stream);
      expect(await orphans()).toEqual(expect.arrayContaining([one, other]));
      const others = await orphans([one]);
      expect(others).toContain(other);
      expect(others).not.toContain(one);
    });

    it("gives each executor with room a share of what is runnable, and what is another's when it has waited", async () => {
      const capacity = 5;
      for (const executor of ['s1', 's2', 's3', 'full'])
        await under.executors.join({ id: executor, host: 'h', pid: 1, version: '1', capacity, leaseMs: 60_000 });
      await under.executors.heartbeat('full', { driven: capacity, draining: false, progress: 0 });
      const streams = Array.from({ length: 60 }, id);
      await under.log.append(
        streams.map((stream) => ({ stream, expected: 'none', events: [requested(), scheduled()] })),
      );
      const shares: string[] = [];
      for (const me of ['s1', 's2', 's3']) {
        const found = await under.claims.lookForRunnable(1_000, { me });
        expect(found.every(({ mine }) => mine)).toBe(true);
        const share = found.map(({ stream }) => stream).filter((stream) => streams.includes(stream));
        expect(share.length).toBeGreaterThan(5);
        shares.push(...share);
      }
      expect(shares.toSorted()).toEqual(streams.toSorted());
      const all = await under.claims.lookForRunnable(1_000, { me: 's1', othersMs: 0 });
      expect(streams.every((stream) => all.some((one) => one.stream === stream))).toBe(true);
      expect(all.some(({ mine }) => !mine)).toBe(true);
      const young = await under.claims.lookForRunnable(1_000, { me: 's1', othersMs: 3_600_000 });
      expect(young.every(({ mine }) => mine)).toBe(true);
      for (const executor of ['s1', 's2', 's3', 'full']) await under.executors.leave(executor);
      // Who is alone has all, also before it is known to be alive.
      const alone = await under.claims.lookForRunnable(1_000, { me: 'new' });
      expect(streams.every((stream) => alone.some((one) => one.stream === stream))).toBe(true);
    });

    it('gives for folding what a read gives, page by page', async () => {
      const stream = await running('x1');
      const text = 'ä "quoted" \\ {}, [null';
      await under.log.append([
        {
          stream,
          expected: 3,
          owner: 'x1',
          events: [operatorStarted('a', 'x1'), operatorStarted(text, 'x1'), parked(null)],
        },
      ]);
      const read = await under.log.read(stream);
      const pages = [await under.log.readToFold(stream, 0, 4), await under.log.readToFold(stream, 4, 4)];
      expect(pages.map((page) => page.length)).toEqual([4, 2]);
      expect(pages.flat()).toMatchObject(
        read.map(({ type, data, schemaVersion, sequence, recordedAt, metadata }) => ({
          ...{ type, data, schemaVersion, sequence },
          ...(type.startsWith('Process') && { recordedAt, metadata }),
        })),
      );
      expect(await under.log.readToFold(stream, 6, 4)).toEqual([]);
      expect(await under.log.readToFold(id(), 0, 4)).toEqual([]);
      const other = await running('x1');
      const nowhere = id();
      const whole = await under.log.readWholeToFold([other, nowhere, stream]);
      expect(whole.get(stream)).toEqual(pages.flat());
      expect(whole.get(other)).toHaveLength(3);
      expect(whole.get(nowhere)).toEqual([]);
    });

    it('keeps the newest snapshot of a shape', async () => {
      const stream = id();
      await under.snapshots.save(stream, 1, 500, 'later');
      await under.snapshots.save(stream, 1, 400, 'earlier');
      expect(await under.snapshots.load(stream, 1)).toEqual({ version: 500, text: 'later' });
      expect(await under.snapshots.load(stream, 2)).toBeNull();
      await under.snapshots.clear();
      expect(await under.snapshots.load(stream, 1)).toBeNull();
    });
  });
}
