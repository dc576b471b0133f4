import type { Tail, WakeUp } from '@baton/event-log';
import type {
  BusTransport,
  DeadLetters,
  Inbox,
  Logger,
  Meter,
  Subscription,
  SubscriptionOptions,
  Timers,
} from '../bus.ports.js';
import { wantsCluster, wantsProcesses } from '../bus-event.js';
import { Delivery } from '../subscription/delivery.js';
import { replaying } from '../subscription/replaying.js';
import { systemTimers } from '../system-timers.js';
import { TailSubscription } from './tail-subscription.js';

type ReadTail = Pick<Tail, 'read' | 'checkpoint' | 'moveCheckpoint' | 'end'>;

export interface EmbeddedTransportOptions {
  tail: ReadTail;
  /** The cluster's events; without it nobody gets any. */
  clusterTail?: ReadTail;
  wakeUp: Pick<WakeUp, 'listen'>;
  inbox: Inbox;
  deadLetters: DeadLetters;
  logger: Logger;
  meter: Meter;
  pollMs(): number;
  timers?: Timers;
  batch?: number;
  attempts?: number;
  pauseMs?: number;
  /** Hints only: false while nobody would hear them. */
  isWanted?(): boolean;
  /** Hints only: false for who nobody asks after here; what happens to it is not taken apart. */
  concerns?(subject: string): boolean;
}

/** The bus without a broker: each subscriber reads the log's tail, from a checkpoint of its own, woken by hints. */
export class EmbeddedTransport implements BusTransport {
  constructor(private readonly options: EmbeddedTransportOptions) {}

  subscribe(subscription: SubscriptionOptions): Subscription {
    const { timers = systemTimers, batch = 500, attempts = 5, pauseMs = 100, wakeUp, ...shared } = this.options;
    const delivery = new Delivery(subscription, { ...shared, timers, attempts, pauseMs });
    const { clusterTail, tail, ...common } = shared;
    const reader = (over: ReadTail, name: string) =>
      new TailSubscription({ ...common, ...subscription, tail: over, checkpoint: name, delivery, timers, batch });
    const { subscriber, events } = subscription;
    const readers = [
      ...(wantsProcesses(events) || !clusterTail ? [reader(tail, subscriber)] : []),
      ...(wantsCluster(events) && clusterTail ? [reader(clusterTail, `${subscriber}/cluster`)] : []),
    ];
    let quiet: () => void = () => undefined;
    const both: Subscription = {
      async start() {
        quiet = wakeUp.listen(() => {
          for (const one of readers) one.wake();
        });
        await Promise.all(readers.map((one) => one.start()));
      },
      async stop() {
        quiet();
        await Promise.all(readers.map((one) => one.stop()));
      },
      get healthy() {
        return readers.every((one) => one.healthy);
      },
    };
    return replaying(both, { ...shared, subscription, delivery, timers });
  }
}
