import type { DeadLetters, Logger, Subscription, SubscriptionOptions, Timers } from '../bus.ports.js';
import type { Delivery } from './delivery.js';

const everyMs = 1_000;
const longestPauseMs = 10_000;

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
  let stop = new AbortController();
  let done: Promise<void> = Promise.resolve();
  const loop = async (signal: AbortSignal) => {
    for (let failures = 0; !signal.aborted; ) {
      try {
        await deadLetters.replay?.(subscriber, (event) => delivery.replay(event, signal));
        failures = 0;
      } catch (error) {
        failures += 1;
        logger.warn({ err: error, subscriber }, 'dead letters could not be delivered again');
      }
      await timers.sleep(Math.min(longestPauseMs, everyMs * 2 ** Math.min(failures, 5)), signal);
    }
  };
  return {
    async start() {
      stop = new AbortController();
      await subscription.start();
      done = loop(stop.signal);
    },
    async stop() {
      stop.abort();
      await Promise.all([done, subscription.stop()]);
    },
    get healthy() {
      return subscription.healthy;
    },
  };
}
