import { deadLetterHeaders } from '../cloud-events/topics.js';
import type { JsonRecord } from '../common.schemas.js';

const text = (description: string, more: JsonRecord = {}): JsonRecord => ({ type: 'string', description, ...more });
const traceparent = text('W3C trace context: the span that caused the event, where there is one.', {
  pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$',
});

/** Headers that every CloudEvent of Baton's has, in Kafka's binary mode: all values are text. */
export const eventHeaders: JsonRecord = {
  type: 'object',
  properties: {
    'content-type': text('Always JSON.', { pattern: '^application/json' }),
    ce_specversion: text('The version of CloudEvents.', { const: '1.0' }),
    ce_id: text('UUID of the event, the same in every repetition: drop by it what you have seen.', {
      format: 'uuid',
      examples: ['0199c2f0-1a2b-7c3d-8e4f-5a6b7c8d9e0f'],
    }),
    ce_type: text('`baton.<noun>.<event>.v1`.', { pattern: '^baton\\.[a-z]+\\.[a-z-]+\\.v[0-9]+$' }),
    ce_source: text(
      '`/baton/CELL/INCARNATION`. The incarnation changes when the log was restored or its database was promoted.',
      { pattern: '^/baton/[a-z][a-z0-9]*/[0-9]+$', examples: ['/baton/c1/1'] },
    ),
    ce_subject: text("The process's id, or the node; also the key.", {
      minLength: 1,
      examples: ['c1-0199c2f0-7c80-8e33-9f20-4b2e8c3d9066'],
    }),
    ce_partitionkey: text('As the subject.', { minLength: 1 }),
    ce_time: text("When it was recorded, by the database's clock.", { format: 'date-time' }),
    ce_sequence: text('Position in the stream of its subject: ten digits, gapless from 0000000001.', {
      pattern: '^[0-9]{10}$',
      examples: ['0000000001'],
    }),
    ce_eventtype: text('The name without a prefix: `ProcessRequested`.'),
    traceparent,
  },
  required: [
    'content-type',
    'ce_specversion',
    'ce_id',
    'ce_type',
    'ce_source',
    'ce_subject',
    'ce_partitionkey',
    'ce_time',
    'ce_sequence',
    'ce_eventtype',
  ],
};

const deadLetterTexts: Record<keyof typeof deadLetterHeaders, string> = {
  topic: 'The topic where it stood.',
  partition: 'Its partition there.',
  offset: 'Its offset there.',
  subscriber: 'Who could not handle it.',
  reason: 'Why, in words.',
  attempts: 'How often it was tried.',
  failedAt: 'When it was given up.',
  problem: 'Of a refused request: the problem details (RFC 9457, JSON) that REST would have answered.',
  omittedBytes:
    'Bytes of an original value that was too long to be repeated: it stands where topic, partition and offset say.',
};

/** Beside those of the original. */
export const deadLetterHeaderSchema: JsonRecord = {
  type: 'object',
  properties: Object.fromEntries(
    Object.entries(deadLetterHeaders).map(([name, header]) => [
      header,
      text(deadLetterTexts[name as keyof typeof deadLetterHeaders]),
    ]),
  ),
  required: [deadLetterHeaders.topic, deadLetterHeaders.reason],
};
