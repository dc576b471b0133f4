import type { EventMetadata } from '@baton/process';
import type { EventToFold } from '../event-log.port.js';

/** A page of a stream, in one row. */
export interface FoldRow {
  count: number;
  last: number | null;
  data: string;
  types: string;
  versions: string;
  more: Record<string, { recordedAt: string; metadata: EventMetadata | null }> | null;
}

/** One text parsed at once instead of nine columns of each row, of which most would be made for nothing. */
export function eventsToFold({ data, types, versions, more }: FoldRow, after: number): EventToFold[] {
  const version = versions.split(',');
  const type = types.split(',');
  return (JSON.parse(data) as object[]).map((one, at) => {
    const sequence = after + at + 1;
    const event: EventToFold = { type: type[at]!, schemaVersion: Number(version[at]), data: one, sequence };
    const own = more?.[sequence];
    if (own === undefined) return event;
    const recordedAt = new Date(own.recordedAt).toISOString();
    return { ...event, recordedAt, metadata: own.metadata ?? {} };
  });
}
