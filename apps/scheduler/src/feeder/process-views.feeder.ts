import type { Lease } from '@baton/bus';
import type { ProcessViews, Tail } from '@baton/event-log';
import type { Meter } from '../scheduler.ports.js';

/** The checkpoint's name: whoever tells the age of the lists reads it. */
export const viewsSubscriber = 'process-views';

/**
 * Job: feeds the list of processes from the log's tail.
 * Boundary: what a view holds is the store's; this moves the checkpoint.
 * Invariants:
 * 1. The checkpoint moves after the views are written; a crash between repeats, and the store drops what it has.
 * 2. One scheduler feeds at a time, by a lease; if two do, the checkpoint's compare-and-set keeps it from going back.
 */
export class ProcessViewsFeeder {
  constructor(
    private readonly options: {
      tail: Pick<Tail, 'read' | 'checkpoint' | 'moveCheckpoint'>;
      views: Pick<ProcessViews, 'apply'>;
      lease: Pick<Lease, 'hold'>;
      batch: number;
      meter: Meter;
    },
  ) {}

  async round(): Promise<'again' | undefined> {
    const { tail, views, lease, batch, meter } = this.options;
    if ((await lease.hold()) === null) return undefined;
    const from = await tail.checkpoint(viewsSubscriber);
    const { events, position, horizonAgeMs } = await tail.read(from, batch);
    meter.record('baton.tail.horizon-age', horizonAgeMs / 1000);
    if (events.length === 0 || position === null) return undefined;
    await views.apply(events);
    await tail.moveCheckpoint(viewsSubscriber, from, position);
    meter.count('baton.scheduler.views-fed', events.length);
    // What comes meanwhile is fed together at the next round: a view is then written once for many events of its process.
    return events.length < batch ? undefined : 'again';
  }
}
