import { CloudEvent, Kafka as CloudEventsKafka } from 'cloudevents';
import type { IHeaders, KafkaMessage, Message } from 'kafkajs';
import type { BusEvent } from '../bus-event.js';
import { busEventFrom, cloudEventOf } from '../cloud-events/cloud-event.codec.js';

/** A record in Kafka's binary mode: attributes as headers, JSON data, the subject as the key. */
export function recordOf(event: BusEvent): Message {
  const { headers } = CloudEventsKafka.binary(cloudEventOf(event));
  // The SDK leaves undefined values, on which kafkajs fails.
  const given = Object.entries(headers).filter(([, value]) => value !== undefined && value !== null);
  return {
    key: event.subject,
    value: JSON.stringify(event.data),
    headers: Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
    timestamp: String(Date.parse(event.time)),
  };
}

/** Throws with the reason when the record is no event of ours. */
export function eventOf(message: Pick<KafkaMessage, 'key' | 'value' | 'headers'>): BusEvent {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    const text = headerText(value);
    if (name.startsWith('ce_') && text !== undefined) attributes[name.slice(3)] = text;
  }
  const { id, type, source } = attributes;
  if (!id || !type || !source)
    throw new Error('The record is no CloudEvent in binary mode: it lacks ce_id, ce_type or ce_source.');
  const data: unknown = message.value === null ? undefined : JSON.parse(message.value.toString('utf8'));
  return busEventFrom(new CloudEvent<unknown>({ ...attributes, id, type, source, data }, false));
}

function headerText(value: IHeaders[string]): string | undefined {
  const one = Array.isArray(value) ? value[0] : value;
  return one === undefined ? undefined : one.toString();
}
