import { expect, it } from 'vitest';
import type { BusEvent } from '../bus-event.js';
import { busEventFrom, cloudEventOf } from './cloud-event.codec.js';

const event: BusEvent = {
  name: 'process.operator-completed',
  id: '01900000-0000-7000-8000-000000000001',
  type: 'OperatorCompleted',
  schemaVersion: 1,
  subject: 'c1-01900000-0000-7000-8000-000000000002',
  sequence: 12,
  time: '2026-01-01T00:00:00.000Z',
  source: '/baton/c1/1',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  data: { path: 'deploy', attempt: 1 },
};

it('is a CloudEvent with the attributes of the public contract', () => {
  expect(cloudEventOf(event).toJSON()).toMatchObject({
    specversion: '1.0',
    id: event.id,
    type: 'baton.process.operator-completed.v1',
    subject: event.subject,
    sequence: '0000000012',
    partitionkey: event.subject,
    datacontenttype: 'application/json',
    data: { path: 'deploy', attempt: 1 },
  });
});

it('comes back as it was', () => {
  expect(busEventFrom(cloudEventOf(event))).toEqual(event);
});

it('refuses what is no event of a process, with the reason', () => {
  const foreign = cloudEventOf(event).cloneWith({ eventtype: undefined }, false);
  expect(() => busEventFrom(foreign)).toThrow(/lacks subject, time or eventtype/);
});
