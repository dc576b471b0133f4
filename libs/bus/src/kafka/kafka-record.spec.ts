import { Kafka } from 'cloudevents';
import { expect, it } from 'vitest';
import { type BusEvent, busEventOf, type LoggedEvent } from '../bus-event.js';
import { cloudEventOf } from '../cloud-events/cloud-event.codec.js';
import { eventOf, headersOf, recordOf, recordOfStored } from './kafka-record.js';

const event: BusEvent = {
  name: 'process.operator-completed',
  id: '01900000-0000-7000-8000-000000000001',
  type: 'OperatorCompleted',
  schemaVersion: 1,
  subject: 'c1-01900000-0000-7000-8000-000000000002',
  sequence: 12,
  time: '2026-01-01T00:00:00.000Z',
  source: '/baton/c1/1',
  data: { path: 'deploy', output: 'ä€𝄞' },
};
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const written = (of: BusEvent) => {
  const record = recordOf(of);
  return { key: record.attributes.subject, value: record.value, headers: headersOf(record) };
};
const message = (of: BusEvent) => {
  const { key, value, headers } = written(of);
  const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]);
  return { key: Buffer.from(key), value: Buffer.from(value), headers: Object.fromEntries(bytes) };
};

it.each([
  ['without a trace', event],
  ['within a trace', { ...event, traceparent }],
])('an event %s has the headers, the key and the value that the CloudEvents SDK gives it', (_, of) => {
  const sdk = Kafka.binary(cloudEventOf(of));
  const { key, value, headers } = written(of);
  // Beside the extension, W3C's own header: the SDK knows only the first.
  const { traceparent: ofW3c, ...attributes } = headers;
  expect(ofW3c).toBe(of.traceparent);
  const set = Object.entries(sdk.headers).filter(([, text]) => text !== undefined);
  // The binding maps this attribute to `content-type`; the SDK writes it a second time.
  const { ce_datacontenttype: twice, 'content-type': type, ...rest } = Object.fromEntries(set);
  expect([twice, type]).toEqual(['application/json', expect.stringMatching(/^application\/json/)]);
  expect(attributes).toEqual({ ...rest, 'content-type': 'application/json' });
  expect(key).toBe(sdk.key);
  const told: unknown = typeof sdk.value === 'string' ? JSON.parse(sdk.value) : sdk.value;
  expect(JSON.parse(value)).toEqual(told);
});

it('the SDK reads a record as the event that was written', () => {
  const { key, value, headers } = written({ ...event, traceparent });
  const record = { key, value, headers, body: value };
  const read = Kafka.toEvent(record);
  expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify(cloudEventOf({ ...event, traceparent }))));
});

it('a record comes back as the event that was written', () => {
  expect(eventOf(message({ ...event, traceparent }))).toEqual({ event: { ...event, traceparent }, isReference: false });
});

it.each([
  ['of a process', {}],
  ['within a trace', { traceparent }],
  ['of the cluster, whose subject is the node', { type: 'ExecutorJoined', data: '{"node": "ex-1/2"}' }],
])('an event %s as it is stored gives the record of the event, its JSON as it stands', (_, more) => {
  const { id, type, schemaVersion, subject: stream, sequence } = event;
  const data = '{"path": "deploy", "amount": 1.10, "huge": 123456789012345678901}';
  const stored = {
    id,
    type,
    schemaVersion,
    stream,
    sequence,
    recordedAt: event.time,
    logIncarnation: 1,
    data,
    ...more,
  };
  const { data: text, traceparent: trace, ...rest } = { traceparent: undefined, ...stored };
  const metadata = trace === undefined ? {} : { traceparent: trace };
  const logged = { ...rest, metadata, data: JSON.parse(text) } as LoggedEvent;
  const expected = recordOf(busEventOf(logged));
  const record = recordOfStored(stored);
  expect(record.value).toBe(stored.data);
  expect(headersOf(record)).toEqual(headersOf(expected));
  expect(record.timestamp).toBe(expected.timestamp);
});
