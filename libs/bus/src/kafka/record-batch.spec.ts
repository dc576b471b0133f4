import { publicEvents } from '@baton/contracts';
import { Partitioners } from 'kafkajs';
import Produce from 'kafkajs/src/protocol/requests/produce/index.js';
import { expect, it } from 'vitest';
import type { BusEvent } from '../bus-event.js';
import { crc32c } from './crc32c.js';
import { type EventRecord, headersOf, recordOf } from './kafka-record.js';
import { mendProduceRequest, ReadyBatch } from './kafkajs-produce-request.js';
import { partitionOf } from './partition-of.js';
import { RecordBatch } from './record-batch.js';

const ofKafkajs = Produce.protocol({ version: 7 });
mendProduceRequest();
const ofOurs = Produce.protocol({ version: 7 });

const subject = 'c1-01900000-0000-7000-8000-000000000002';
const event = (more: Partial<BusEvent>): BusEvent => ({
  name: 'process.requested',
  id: '01900000-0000-7000-8000-000000000001',
  type: 'ProcessRequested',
  schemaVersion: 1,
  subject,
  sequence: 12,
  time: '2026-01-01T00:00:00.000Z',
  source: '/baton/c1/1',
  data: {},
  ...more,
});
const produce = (messages: readonly object[]) => ({
  acks: -1,
  timeout: 10_000,
  topicData: [
    { topic: 'a', partitions: [{ partition: 3, messages }] },
    { topic: 'b', partitions: [{ partition: 0, messages }] },
  ],
});
/** The whole request, as kafkajs writes it. */
async function expected(records: readonly EventRecord[]): Promise<Buffer> {
  const messages = records.map((record) => ({
    key: record.attributes.subject,
    value: record.value,
    headers: headersOf(record),
    timestamp: String(record.timestamp),
  }));
  return (await ofKafkajs(produce(messages)).request.encode()).buffer;
}
async function ours(records: readonly EventRecord[], batch = new RecordBatch()): Promise<Buffer> {
  batch.begin();
  for (const record of records) batch.add(record);
  return (await ofOurs(produce([new ReadyBatch(3, batch.finish())])).request.encode()).buffer;
}

it('a request holds the very bytes that kafkajs would write, for every type of event', async () => {
  const records = Object.entries(publicEvents).map(([type, { example }], n) =>
    recordOf(event({ type, data: example, sequence: n + 1, time: new Date(1_767_225_600_000 + 7 * n).toISOString() })),
  );
  expect(records.length).toBeGreaterThan(20);
  expect((await ours(records)).equals(await expected(records))).toBe(true);
});

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
it.each([
  ['within a trace', { traceparent }],
  ['of a subject that is not ASCII', { subject: 'Knoten-ä€𝄞' }],
  ['of a long subject', { subject: 'n'.repeat(300) }],
  ['of a long subject that is not ASCII', { subject: 'ß'.repeat(63) }],
  ['with other letters in its data', { data: { text: 'ä€𝄞\u0000\ud800 "\\' } }],
  ['with data that is no object', { data: null }],
  ['whose length takes one byte more, and less', { data: 'é'.repeat(8_000) }],
  ['of data beyond 256 KiB, by reference', { data: { text: 'x'.repeat(300_000) } }],
  ['of data just below that', { data: { text: 'x'.repeat(250_000) } }],
  ['of a short id', { id: 'x' }],
  ['of an id that is not ASCII', { id: 'ß'.repeat(36) }],
  ['of a trace that is none', { traceparent: 'nothing' }],
  ['of another version, from another log', { schemaVersion: 2, source: '/baton/c22/13' }],
  ['of the highest sequence', { sequence: 9_999_999_999 }],
  ['of a sequence beyond ten digits', { sequence: 12_345_678_901 }],
])('an event %s has the bytes that kafkajs gives it', async (_, more) => {
  const records = [recordOf(event({})), recordOf(event(more)), recordOf(event({ sequence: 13 }))];
  expect((await ours(records)).equals(await expected(records))).toBe(true);
});

it('every length around the steps of a varint is written as kafkajs does', async () => {
  const batch = new RecordBatch();
  for (const length of [0, 1, 47, 48, 62, 63, 64, 65, 127, 128, 8_190, 8_191, 8_192, 8_193, 100_000])
    for (const letter of ['x', 'é']) {
      const text = letter.repeat(length);
      const record = { ...recordOf(event({ subject: text, id: text })), value: text, dataref: text };
      expect(
        (await ours([record, record], batch)).equals(await expected([record, record])),
        `${letter} ${length}`,
      ).toBe(true);
    }
});

it('events of a month stand in one batch, the later ones by their distance', async () => {
  const records = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.001Z', '2026-01-31T12:00:00.000Z'].map((time) =>
    recordOf(event({ time })),
  );
  expect((await ours(records)).equals(await expected(records))).toBe(true);
});

it('a batch that is used again carries nothing of the one before', async () => {
  const batch = new RecordBatch();
  await ours([recordOf(event({ data: 'first' })), recordOf(event({ data: 'second' }))], batch);
  const records = [recordOf(event({ id: 'another' }))];
  expect((await ours(records, batch)).equals(await expected(records))).toBe(true);
  expect([batch.count, batch.lastId]).toEqual([1, 'another']);
});

it('a request of others is left to kafkajs, byte for byte', async () => {
  const messages = [{ key: 'k', value: 'v', headers: { h: 'x' }, timestamp: '5' }];
  const { buffer } = await ofOurs(produce(messages)).request.encode();
  expect(buffer.equals((await ofKafkajs(produce(messages)).request.encode()).buffer)).toBe(true);
});

it('a broker that is too old for headers is refused, with the reason', () => {
  const old = Produce.protocol({ version: 2 });
  expect(() => old(produce([new ReadyBatch(0, Buffer.alloc(0))]))).toThrow(/older than 0.11/);
});

it('the checksum is the one that RFC 3720 gives for its examples', () => {
  const of = (bytes: Buffer) => crc32c(bytes, 0, bytes.length);
  expect(of(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(of(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(of(Buffer.from(Array.from({ length: 32 }, (_, n) => n)))).toBe(0x46dd794e);
  expect(of(Buffer.from('123456789'))).toBe(0xe3069283);
});

it('a key stands in the partition that kafkajs, as Java, would choose', () => {
  const choose = Partitioners.DefaultPartitioner();
  for (let n = 0; n < 500; n += 1) {
    const key = n % 2 === 0 ? `c1-${'ä'.repeat(n % 5)}${n}` : `${n * 7919}`.repeat(n % 9);
    const partitions = (n % 13) + 1;
    const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
      partitionErrorCode: 0,
      partitionId,
      leader: 1,
      replicas: [],
      isr: [],
    }));
    const message = { key, value: '' };
    expect([key, partitionOf(key, partitions)]).toEqual([key, choose({ topic: 't', partitionMetadata, message })]);
  }
});
