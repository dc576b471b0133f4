import { recordBytes } from '@baton/contracts';
import type { OriginalRecord } from '../bus.ports.js';
import type { TopicRecord } from '../kafka/topic-consumer.js';

/** A record beside its dead letter, in base64: it may hold what PostgreSQL's JSON cannot. Null: too long to be kept. */
export function keptRecord(place: Omit<TopicRecord, 'key' | 'value' | 'headers'>, original: OriginalRecord) {
  const { topic, partition, offset, timestamp } = place;
  const { key, value, headers } = original;
  const bytes = (part: Buffer | string | null) => (part === null ? null : Buffer.from(part).toString('base64'));
  const text = JSON.stringify({ topic, partition, offset, timestamp, key: bytes(key), value: bytes(value), headers });
  return text.length > 2 * recordBytes ? null : Buffer.from(text).toString('base64');
}

/** Null: what was kept is no record. */
export function recordKept(data: unknown): TopicRecord | null {
  if (typeof data !== 'object' || data === null || !('record' in data) || typeof data.record !== 'string') return null;
  const kept = JSON.parse(Buffer.from(data.record, 'base64').toString('utf8')) as Omit<TopicRecord, 'key' | 'value'> & {
    key: string | null;
    value: string | null;
  };
  const bytes = (part: string | null) => (part === null ? null : Buffer.from(part, 'base64'));
  return { ...kept, key: bytes(kept.key), value: bytes(kept.value) };
}
