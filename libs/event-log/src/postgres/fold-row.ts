import { type EventMetadata, isoTime } from '@baton/process';
import type { EventToFold } from '../event-log.port.js';

/** Events of a stream, in one row. Without any, the texts are null. */
export interface FoldRow {
  count: number;
  last: number | null;
  data: string;
  types: string;
  versions: string;
  more: Record<string, { at: number; metadata: EventMetadata | null }> | null;
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
    return { ...event, recordedAt: isoTime(own.at), metadata: own.metadata ?? {} };
  });
}
