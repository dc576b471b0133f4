import type { JsonValue, ProcessEventItem } from '@baton/contracts';
import type { RecordedEvent } from '@baton/process';

/** An event as the API shows it, in lists and in streams alike. */
export function eventView(event: RecordedEvent): ProcessEventItem {
  const { sequence, id, type, recordedAt, data, metadata } = event;
  return { sequence, id, type, time: recordedAt, data: data as JsonValue, metadata: { ...metadata } };
}
