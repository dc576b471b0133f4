import {
  cloudEventType,
  type DataReference,
  dataReferenceSchema,
  eventReference,
  isClusterEvent,
  recordBytes,
} from '@baton/contracts';
import { CloudEvent } from 'cloudevents';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { OriginalRecord } from '../bus.ports.js';
import { type BusEvent, eventNameOf } from '../bus-event.js';
import { busEventFrom } from '../cloud-events/cloud-event.codec.js';

export interface EventRecord {
  key: string;
  value: string;
  headers: Record<string, string>;
  /** ms since 1970. */
  timestamp: number;
}

/**
 * A record in Kafka's binary mode: attributes as headers, JSON data, the subject as the key. The SDK's own encoder
 * validates what we made ourselves, and took a third of the publisher's time; a test holds the two equal.
 * A record that would be longer than 256 KiB carries a reference instead of its data (claim check).
 */
export function recordOf(event: BusEvent): EventRecord {
  const { subject, sequence } = event;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_type: cloudEventType(event.type, event.schemaVersion),
    ce_source: event.source,
    ce_subject: subject,
    ce_time: event.time,
    // Padded: CloudEvents compares sequences as text.
    ce_sequence: String(sequence).padStart(10, '0'),
    ce_partitionkey: subject,
    ce_eventtype: event.type,
  };
  if (event.traceparent !== undefined) {
    // The CloudEvents extension, and the header that instrumented Kafka clients read (W3C).
    headers['ce_traceparent'] = event.traceparent;
    headers['traceparent'] = event.traceparent;
  }
  const value = JSON.stringify(event.data);
  const record = { key: subject, value, headers, timestamp: Date.parse(event.time) };
  if (value.length * 3 < recordBytes - ownBytes || isClusterEvent(event.type)) return record;
  const bytes = Buffer.byteLength(value);
  if (bytes <= recordBytes - ownBytes) return record;
  const href = eventReference(subject, sequence);
  const reference: DataReference = { reference: { href, bytes } };
  return { ...record, value: JSON.stringify(reference), headers: { ...headers, ce_dataref: href } };
}
/** Room for key and headers. */
const ownBytes = 4_096;

/** Throws with the reason when the record is no event of ours. `isReference`: its data is to be fetched. */
export function eventOf(message: Pick<KafkaMessage, 'key' | 'value' | 'headers'>): {
  event: BusEvent;
  isReference: boolean;
} {
  const attributes: Record<string, string> = {};
  for (const [name, text] of Object.entries(headersOf(message.headers)))
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
  return { key: message.key, value: message.value, headers: headersOf(message.headers) };
}

function headersOf(headers: IHeaders | undefined): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const one = Array.isArray(value) ? value[0] : value;
    if (one !== undefined) texts[name] = one.toString();
  }
  return texts;
}
