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
import { Delivery } from '../subscription/delivery.js';
import { systemTimers } from '../system-timers.js';
import { TailSubscription } from './tail-subscription.js';

export interface EmbeddedTransportOptions {
  tail: Pick<Tail, 'read' | 'checkpoint' | 'moveCheckpoint' | 'end'>;
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
}

/** The bus without a broker: each subscriber reads the log's tail, from a checkpoint of its own, woken by hints. */
export class EmbeddedTransport implements BusTransport {
  constructor(private readonly options: EmbeddedTransportOptions) {}

  subscribe(subscription: SubscriptionOptions): Subscription {
    const { timers = systemTimers, batch = 500, attempts = 5, pauseMs = 100, wakeUp, ...shared } = this.options;
    const delivery = new Delivery(subscription, { ...shared, timers, attempts, pauseMs });
    const reader = new TailSubscription({ ...shared, ...subscription, delivery, timers, batch });
    let quiet: () => void = () => undefined;
    return {
      async start() {
        quiet = wakeUp.listen(() => reader.wake());
        await reader.start();
      },
      async stop() {
        quiet();
        await reader.stop();
      },
      get healthy() {
        return reader.healthy;
      },
    };
  }
}
