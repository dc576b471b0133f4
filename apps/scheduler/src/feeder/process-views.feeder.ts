import type { Lease } from '@baton/bus';
import { type ProcessViews, type Tail, type TailPosition, viewEventTypes } from '@baton/event-log';
import type { Meter } from '../scheduler.ports.js';

/** The checkpoint's name: whoever tells the age of the lists reads it. */
export const viewsSubscriber = 'process-views';

/**
 * Job: feeds the list of processes from the log's tail.
 * Boundary: what a view holds is the store's; this moves the checkpoint.
 * Invariants:
 * 1. The checkpoint moves after the views are written; a crash between repeats, and the store drops what it has.
 * 2. One scheduler feeds at a time, by a lease; if two do, the checkpoint's compare-and-set keeps it from going back.
 * 3. Only events that change a view leave the database: five of the 24 of a process of ten operators.
 */
export class ProcessViewsFeeder {
  /** Much came with the last round: the next may come later, so that a short process is written once, when it has ended. */
  isBusy = false;
  #movedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly options: {
      tail: Pick<Tail, 'read' | 'checkpoint' | 'moveCheckpoint'>;
      views: Pick<ProcessViews, 'apply'>;
      lease: Pick<Lease, 'hold'>;
      batch: number;
      meter: Meter;
      monotonicMs?(): number;
    },
  ) {}

  async round(): Promise<'again' | undefined> {
    const { tail, views, lease, batch, meter } = this.options;
    if ((await lease.hold()) === null) return undefined;
    const from = await tail.checkpoint(viewsSubscriber);
    const { events, position, horizonAgeMs } = await tail.read(from, batch, viewEventTypes);
    meter.record('baton.tail.horizon-age', horizonAgeMs / 1000);
    this.isBusy = events.length >= busyAt;
    if (position === null) return undefined;
    if (events.length > 0) await views.apply(events);
    await this.#move(from, position, events.length > 0);
    meter.count('baton.scheduler.views-fed', events.length);
    // What comes meanwhile is fed together at the next round: a view is then written once for many events of its process.
    return events.length < batch ? undefined : 'again';
  }

  /** Past events that change no view it moves now and then: it must not stay behind, nor cost a commit each round. */
  async #move(from: TailPosition | null, to: TailPosition, hasFed: boolean): Promise<void> {
    const now = this.options.monotonicMs?.() ?? performance.now();
    if (!hasFed && (isSame(from, to) || now - this.#movedAt < moveEveryMs)) return;
    this.#movedAt = now;
    await this.options.tail.moveCheckpoint(viewsSubscriber, from, to);
  }
}

const busyAt = 100;
const moveEveryMs = 1_000;

function isSame(one: TailPosition | null, other: TailPosition): boolean {
  return one !== null && one.logIncarnation === other.logIncarnation && one.transactionId === other.transactionId;
}
