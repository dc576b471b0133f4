import { deadLetterHeaders, recordBytes } from '@baton/contracts';
import type { OriginalRecord } from '../bus.ports.js';
import type { BusMessage } from '../producer/producer.port.js';

export interface DeadRecord {
  original: OriginalRecord;
  topic: string;
  partition: number;
  offset: string;
  /** Who could not handle it. */
  subscriber: string;
  reason: string;
  attempts?: number;
  failedAt?: Date;
}

const longestReason = 4_096;

/**
 * What goes to `baton.dead-letter`: the original key, value and headers, and in headers of our own where it stood and
 * why. A value that would make the record too long stays where it stands, and the header tells how long it is.
 */
export function deadLetterRecord(dead: DeadRecord): BusMessage {
  const { original, topic, partition, offset, subscriber, reason, attempts = 1, failedAt = new Date() } = dead;
  const bytes = original.value === null ? 0 : Buffer.byteLength(original.value);
  const isTooLong = bytes > recordBytes;
  return {
    key: original.key === null ? null : original.key.toString('utf8'),
    value: isTooLong ? null : original.value,
    headers: {
      ...original.headers,
      [deadLetterHeaders.topic]: topic,
      [deadLetterHeaders.partition]: String(partition),
      [deadLetterHeaders.offset]: offset,
      [deadLetterHeaders.subscriber]: subscriber,
      [deadLetterHeaders.reason]: reason.slice(0, longestReason),
      [deadLetterHeaders.attempts]: String(attempts),
      [deadLetterHeaders.failedAt]: failedAt.toISOString(),
      ...(isTooLong ? { [deadLetterHeaders.omittedBytes]: String(bytes) } : {}),
    },
  };
}
