import {
  cloudEventType,
  type DataReference,
  dataReferenceSchema,
  eventReference,
  isClusterEvent,
  recordBytes,
} from '@baton/contracts';
import type { StoredEvent } from '@baton/event-log';
import { CloudEvent } from 'cloudevents';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { OriginalRecord } from '../bus.ports.js';
import { attributesOf, type BusEvent, eventNameOf } from '../bus-event.js';
import { busEventFrom } from '../cloud-events/cloud-event.codec.js';

/** What an event says of itself beside its data. */
export type EventAttributes = Omit<BusEvent, 'name' | 'data'>;

/** What is written to a topic of one event. Its key is the subject. */
export interface EventRecord {
  attributes: EventAttributes;
  value: string;
  /** ms since 1970. */
  timestamp: number;
  /** Where the data is, which the value then refers to. */
  dataref?: string;
}

/**
 * A record in Kafka's binary mode: attributes as headers, JSON data, the subject as the key. The SDK's own encoder
 * validates what we made ourselves, and took a third of the publisher's time; a test holds the two equal.
 */
export function recordOf(event: BusEvent): EventRecord {
  return recordWith(event, JSON.stringify(event.data));
}

/** The same of an event as it is stored: its JSON goes as it stands. */
export function recordOfStored(event: StoredEvent): EventRecord {
  return recordWith(attributesOf(event), event.data);
}

/** A record that would be longer than 256 KiB carries a reference instead of its data (claim check). */
function recordWith(attributes: EventAttributes, value: string): EventRecord {
  const record = { attributes, value, timestamp: msOf(attributes.time) };
  if (value.length * 3 < recordBytes - ownBytes || isClusterEvent(attributes.type)) return record;
  const bytes = Buffer.byteLength(value);
  if (bytes <= recordBytes - ownBytes) return record;
  const dataref = eventReference(attributes.subject, attributes.sequence);
  const reference: DataReference = { reference: { href: dataref, bytes } };
  return { ...record, value: JSON.stringify(reference), dataref };
}

export function headersOf({
  attributes,
  dataref,
}: Pick<EventRecord, 'attributes' | 'dataref'>): Record<string, string> {
  const { subject, traceparent } = attributes;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: attributes.id,
    ce_type: cloudEventType(attributes.type, attributes.schemaVersion),
    ce_source: attributes.source,
    ce_subject: subject,
    ce_time: attributes.time,
    // Padded: CloudEvents compares sequences as text.
    ce_sequence: String(attributes.sequence).padStart(10, '0'),
    ce_partitionkey: subject,
    ce_eventtype: attributes.type,
  };
  if (traceparent !== undefined) {
    // The CloudEvents extension, and the header that instrumented Kafka clients read (W3C).
    headers['ce_traceparent'] = traceparent;
    headers['traceparent'] = traceparent;
  }
  if (dataref !== undefined) headers['ce_dataref'] = dataref;
  return headers;
}

/** The events of one transaction have the same time, and stand one after the other. */
function msOf(time: string): number {
  if (time !== lastTime) {
    lastTime = time;
    lastMs = Date.parse(time);
  }
  return lastMs;
}
let lastTime = '';
let lastMs = 0;

/** Room for key and headers. */
const ownBytes = 4_096;

/** Throws with the reason when the record is no event of ours. `isReference`: its data is to be fetched. */
export function eventOf(message: Pick<KafkaMessage, 'key' | 'value' | 'headers'>): {
  event: BusEvent;
  isReference: boolean;
} {
  const attributes: Record<string, string> = {};
  for (const [name, text] of Object.entries(textsOf(message.headers)))
    if (name.startsWith('ce_')) attributes[name.slice(3)] = text;
  const { id, type, source, dataref } = attributes;
  if (!id || !type || !source)
    throw new Error('The record is no CloudEvent in binary mode: it lacks ce_id, ce_type or ce_source.');
  const data: unknown = message.value === null ? undefined : JSON.parse(message.value.toString('utf8'));
  const event = busEventFrom(new CloudEvent<unknown>({ ...attributes, id, type, source, data }, false));
  const isReference = dataref !== undefined && dataReferenceSchema.safeParse(data).success;
  return { event, isReference };
}

/** The event's name as its header says it, so that what nobody asked for is not taken apart; undefined: no such header. */
export function announcedName({ headers }: Pick<KafkaMessage, 'headers'>): string | undefined {
  const type = headers?.['ce_eventtype'];
  return Buffer.isBuffer(type) ? eventNameOf(type.toString()) : undefined;
}

export function originalOf(message: Pick<KafkaMessage, 'key' | 'value' | 'headers'>): OriginalRecord {
  return { key: message.key, value: message.value, headers: textsOf(message.headers) };
}

function textsOf(headers: IHeaders | undefined): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const one = Array.isArray(value) ? value[0] : value;
    if (one !== undefined) texts[name] = one.toString();
  }
  return texts;
}
