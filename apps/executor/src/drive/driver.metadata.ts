import type { EventMetadata, ProcessEvent } from '@baton/process';

/** Which incarnation wrote an event, where the event does not say so itself: most do, and a log holds many. */
export function driverMetadata(event: ProcessEvent, incarnation: string): EventMetadata {
  return 'executor' in event.data && event.data.executor === incarnation ? {} : { executor: incarnation };
}
