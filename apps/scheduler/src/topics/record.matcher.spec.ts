import type { DeadLetter, TopicRecord } from '@baton/bus';
import { PostgresTopicStore, rebuildLog } from '@baton/event-log';
import type { ProcessEvent, WaitsFor } from '@baton/process';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentMeter } from '../scheduler.ports.js';
import { Cell, quietLogger } from '../testing/cell.fixture.js';
import { RecordIntake } from './record.intake.js';
import { RecordMatcher } from './record.matcher.js';

let cell: Cell;
let store: PostgresTopicStore;
let matcher: RecordMatcher;
let letters: DeadLetter[];
const at = '2026-11-23T10:00:00.000Z';
const scheduled: ProcessEvent = { type: 'ProcessScheduled', data: {} };
const claimed: ProcessEvent = { type: 'ProcessStarted', data: { executor: 'x' } };

beforeAll(async () => {
  cell = await Cell.open();
  store = new PostgresTopicStore(cell.pool, 'c1');
});
afterAll(() => cell.close());
beforeEach(async () => {
  await cell.empty();
  await cell.pool.query('truncate topic_record, topic_position, watched_topic');
  letters = [];
  matcher = newMatcher();
});
const newMatcher = () => new RecordMatcher({ store, commands: cell.commands, logger: quietLogger, meter: silentMeter });

const record = (offset: number, value: unknown, key: string | null = null, more: Partial<TopicRecord> = {}) => ({
  topic: 'payments',
  partition: 0,
  offset: String(offset),
  timestamp: at,
  key: key === null ? null : Buffer.from(key),
  value: value === null || Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)),
  headers: {},
  ...more,
});
const intake = (keepMs = 60_000) =>
  new RecordIntake({
    store,
    deadLetters: {
      put: async (letter) => {
        letters.push(letter);
      },
    },
    keepMs: () => keepMs,
    kept: () => undefined,
    logger: quietLogger,
    meter: silentMeter,
  });

const matching = (order: string) => ({ expression: 'record.value.order == order', scope: { order } });
/** A process whose operator `r` waits. */
async function waiting(more: Partial<Extract<WaitsFor, { kind: 'topic' }>> = {}): Promise<string> {
  const stream = await cell.request();
  const waitsFor: WaitsFor = { kind: 'topic', topic: 'payments', ...more };
  await cell.follow(stream, scheduled, claimed, {
    type: 'OperatorStarted',
    data: { path: 'r', type: 'receive', class: 'waiting', attempt: 1, executor: 'x', waitsFor },
  });
  return stream;
}
async function received(stream: string) {
  const events = await cell.log.read(stream);
  return events.flatMap(({ type, data }) => (type === 'MessageReceived' ? [data.payload] : []));
}

describe('records of topics', () => {
  it('come to the oldest receiver that they fit, one each (1)', async () => {
    const [first, second, third] = [await waiting(), await waiting(), await waiting({ topic: 'others' })];
    await intake().take([record(0, 'a'), record(1, 'b'), record(2, 'c')]);
    await matcher.run();
    expect(await Promise.all([first, second, third].map(received))).toEqual([['a'], ['b'], []]);
    const later = await waiting();
    await matcher.run();
    expect(await received(later)).toEqual(['c']);
  });

  it('are kept for a receiver that comes later, with where they stood and their headers', async () => {
    await intake().take([record(7, { order: 'o-1' }, 'c7', { partition: 3, headers: { kind: 'real' } })]);
    await matcher.run();
    const stream = await waiting({ key: 'c7', match: matching('o-1') });
    await matcher.run();
    const events = await cell.log.read(stream);
    expect(events.at(-1)).toMatchObject({
      type: 'MessageReceived',
      data: {
        messageId: `payments/3/7@${Date.parse(at)}`,
        name: 'payments',
        key: 'c7',
        path: 'r',
        payload: { order: 'o-1' },
        record: { partition: 3, offset: 7, timestamp: at, headers: { kind: 'real' } },
      },
    });
  });

  it('come to whom key, match, schema and keep say; the others wait on (4)', async () => {
    const byKey = await waiting({ key: 'k1' });
    const byMatch = await waiting({ match: matching('o-2') });
    const bySchema = await waiting({ schema: { type: 'object', required: ['amount'] } });
    const broken = await waiting({ match: { expression: 'record.value.a.b.c > 1', scope: {} } });
    await intake().take([
      record(0, { order: 'o-1' }, 'k2'),
      record(1, 'text', 'k1'),
      record(2, { order: 'o-2' }, 'k3'),
    ]);
    await matcher.run();
    expect(await Promise.all([byKey, byMatch, bySchema, broken].map(received))).toEqual([
      ['text'],
      [{ order: 'o-2' }],
      [],
      [],
    ]);
    await intake().take([record(3, { amount: 1 }, 'k2')]);
    await matcher.run();
    expect(await received(bySchema)).toEqual([{ amount: 1 }]);
    await cell.pool.query(
      "update topic_record set received_at = now() - interval '2 hours' where delivered_at is null",
    );
    const recent = await waiting({ keepMs: 3_600_000 });
    const any = await waiting();
    await newMatcher().run();
    expect(await Promise.all([recent, any].map(received))).toEqual([[], [{ order: 'o-1' }]]);
  });

  it('are taken in once, however often and from wherever they are read', async () => {
    const streams = [await waiting(), await waiting(), await waiting()];
    const all = [record(0, 0), record(1, 1), record(2, 2)];
    await intake().take(all.slice(0, 2));
    await matcher.run();
    for (let time = 0; time < 3; time++) {
      await intake().take(all.slice(time));
      await newMatcher().run();
    }
    expect(await Promise.all(streams.map(received))).toEqual([[0], [1], [2]]);
    expect(await store.positions('payments')).toEqual(new Map([[0, 3n]]));
    // A topic that was made anew counts anew: its position is set back, and its records are others.
    await store.begin('payments', [{ partition: 0, offset: 0n, again: true }]);
    const next = await waiting();
    await intake().take([record(0, 'new', null, { timestamp: '2026-11-24T10:00:00.000Z' })]);
    await matcher.run();
    expect(await received(next)).toEqual(['new']);
  });

  it('that were claimed when a matcher died are delivered by the next; delivering twice changes nothing (2)', async () => {
    const stream = await waiting();
    await intake().take([record(0, 'a')]);
    const [kept] = await store.open('payments', 0n, 1);
    if (!kept) throw new Error('nothing was kept');
    const delivery = { topic: 'payments', id: kept.id, record: kept.record, stream, path: 'r' };
    expect(await store.claim(kept, delivery)).toBe(true);
    await newMatcher().run();
    await cell.pool.query('update topic_record set delivered_at = null');
    await newMatcher().run();
    expect(await received(stream)).toEqual(['a']);
  });

  it('go to the next receiver when the first does not want them any more (3)', async () => {
    const gone = await waiting();
    const next = await waiting();
    await intake().take([record(0, 'a')]);
    const [kept] = await store.open('payments', 0n, 1);
    if (!kept) throw new Error('nothing was kept');
    await store.claim(kept, { stream: gone, path: 'r' });
    await cell.end(gone, { type: 'ProcessCancelled', data: { compensated: [], notUndone: [] } });
    expect(await matcher.run()).toBe('again');
    await matcher.run();
    expect(await received(next)).toEqual(['a']);
  });

  it('are claimed once, by whichever of two matchers is first, and a receiver gets one (1)', async () => {
    const streams = await Promise.all(Array.from({ length: 20 }, () => waiting()));
    await intake().take(Array.from({ length: 30 }, (_, offset) => record(offset, offset)));
    await Promise.all([newMatcher().run(), newMatcher().run(), newMatcher().run()]);
    await matcher.run();
    const all = (await Promise.all(streams.map(received))).map((payloads) => payloads.length);
    expect(all).toEqual(Array.from({ length: 20 }, () => 1));
  });

  it('keep their receivers when the rows are made again from the log', async () => {
    const stream = await waiting({ key: 'k', match: matching('o-1'), keepMs: 5 });
    const rows = async () => (await cell.pool.query('select * from receiver')).rows;
    const before = await rows();
    await cell.pool.query('truncate receiver');
    await rebuildLog(cell.pool, 'c1');
    expect(await rows()).toEqual(before.map((row) => ({ ...row, opened_at: expect.any(Date) })));
    await intake().take([record(0, { order: 'o-1' }, 'k')]);
    await matcher.run();
    expect(await received(stream)).toEqual([{ order: 'o-1' }]);
  });

  it('that are no JSON are text, or base64; what no process can take is a dead letter, and the others go on', async () => {
    const streams = [await waiting(), await waiting(), await waiting(), await waiting()];
    await intake().take([
      record(0, Buffer.from('plain text\0')),
      record(1, Buffer.from([0xff, 0xfe])),
      record(2, Buffer.from('{"n":12345678901234567890,"t":"\\ud800"}')),
      record(3, { a: { $secret: 'password' } }),
      record(4, Buffer.from(`${'['.repeat(100)}${']'.repeat(100)}`)),
      record(5, 'x'.repeat(300_000)),
      record(6, null),
    ]);
    await matcher.run();
    expect(await Promise.all(streams.map(received))).toEqual([
      ['plain text\\u0000'],
      ['//4='],
      [{ n: '12345678901234567890', t: '\\ud800' }],
      [null],
    ]);
    expect(letters.map(({ origin, reason }) => [origin, reason])).toEqual([
      [expect.objectContaining({ topic: 'payments', offset: '3' }), expect.stringContaining('$secret')],
      [expect.objectContaining({ offset: '4' }), expect.stringContaining('nests deeper')],
      [expect.objectContaining({ offset: '5' }), expect.stringContaining('300002 bytes')],
    ]);
    await intake().take([record(3, { a: { $secret: 'password' } })]);
    expect(letters).toHaveLength(3);
  });

  it('wait as long as the definitions that name their topic say, then they go', async () => {
    await store.watch([{ topic: 'payments', keepMs: 1_000 }]);
    await store.watch([{ topic: 'payments', keepMs: 5_000 }]);
    expect(await store.watched()).toMatchObject([{ topic: 'payments', keepMs: 5_000 }]);
    await store.watch([{ topic: 'payments', keepMs: null }]);
    await intake(-1).take([record(0, 'a')]);
    const stream = await waiting();
    await matcher.run();
    expect(await received(stream)).toEqual([]);
    expect(await store.removeExpired(10)).toBe(1);
  });
});
