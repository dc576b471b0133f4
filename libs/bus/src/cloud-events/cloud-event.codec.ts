import { cloudEventType } from '@baton/contracts';
import { CloudEvent } from 'cloudevents';
import { type BusEvent, eventNameOf } from '../bus-event.js';

/** A CloudEvent 1.0 as the world sees it (design 3, "Topics"). */
export function cloudEventOf(event: BusEvent): CloudEvent<unknown> {
  return new CloudEvent<unknown>({
    id: event.id,
    type: cloudEventType(event.type, event.schemaVersion),
    source: event.source,
    subject: event.subject,
    time: event.time,
    datacontenttype: 'application/json',
    // Padded: CloudEvents compares sequences as text.
    sequence: String(event.sequence).padStart(10, '0'),
    partitionkey: event.subject,
    eventtype: event.type,
    ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
    data: event.data,
  });
}

/** Throws with the reason when it is no event of a process's stream. */
export function busEventFrom(cloud: CloudEvent<unknown>): BusEvent {
  const { id, type, source, subject, time, sequence, eventtype, traceparent, data } = cloud;
  const version = Number(/\.v(\d+)$/.exec(type)?.[1]);
  if (typeof eventtype !== 'string' || subject === undefined || time === undefined || !Number.isInteger(version))
    throw new Error(
      `The CloudEvent ${id} of type ${type} is no event of a process: it lacks subject, time or eventtype.`,
    );
  if (!/^\d+$/.test(String(sequence)))
    throw new Error(`The CloudEvent ${id} has no sequence: ${String(sequence)} is not a number.`);
  return {
    name: eventNameOf(eventtype),
    id,
    type: eventtype,
    schemaVersion: version,
    subject,
    sequence: Number(sequence),
    time,
    source,
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
    data,
  };
}
