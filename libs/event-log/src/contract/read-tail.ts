import type { RecordedEvent } from '@baton/process';
import type { Tail, TailPosition } from '../event-log.port.js';

/**
 * Reads on until `count` events came: writers of other databases of the same server hold the tail back, too, and the
 * test files of a run share one.
 */
export async function readTail(tail: Tail, after: TailPosition | null, count: number): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  let position = after;
  while (events.length < count) {
    const page = await tail.read(position, 1_000);
    events.push(...page.events);
    position = page.position;
  }
  return events;
}
