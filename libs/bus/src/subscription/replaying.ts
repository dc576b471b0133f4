import type { DeadLetters, Logger, Subscription, SubscriptionOptions, Timers } from '../bus.ports.js';
import type { Delivery } from './delivery.js';
import { ReplayLoop } from './replay-loop.js';

/** A subscription whose dead letters are delivered again when somebody asks for it, beside what comes anew. */
export function replaying(
  subscription: Subscription,
  options: {
    subscription: Pick<SubscriptionOptions, 'subscriber' | 'mode'>;
    delivery: Pick<Delivery, 'replay'>;
    deadLetters: DeadLetters;
    timers: Timers;
    logger: Logger;
  },
): Subscription {
  const { delivery, deadLetters, timers, logger } = options;
  const { subscriber, mode } = options.subscription;
  if (mode === 'hints') return subscription;
  const loop = new ReplayLoop({
    subscriber,
    deliver: (event, signal) => delivery.replay(event, signal),
    deadLetters,
    timers,
    logger,
  });
  return {
    async start() {
      await subscription.start();
      loop.start();
    },
    async stop() {
      await Promise.all([loop.stop(), subscription.stop()]);
    },
    get healthy() {
      return subscription.healthy;
    },
  };
}
