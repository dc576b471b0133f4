import type { DeadLetters, Logger, Timers } from '../bus.ports.js';
import type { BusEvent } from '../bus-event.js';

const everyMs = 1_000;
const longestPauseMs = 10_000;

/** Takes up what somebody wants delivered to a subscriber again, until it is stopped. */
export class ReplayLoop {
  #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: {
      subscriber: string;
      /** What it failed with, or null; a database that is away is thrown. */
      deliver(event: BusEvent, signal: AbortSignal): Promise<string | null>;
      deadLetters: DeadLetters;
      timers: Timers;
      logger: Logger;
    },
  ) {}

  start(): void {
    this.#stop = new AbortController();
    this.#done = this.#run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { subscriber, deliver, deadLetters, timers, logger } = this.options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await deadLetters.replay?.(subscriber, (event) => deliver(event, signal));
        failures = 0;
      } catch (error) {
        failures += 1;
        logger.warn({ err: error, subscriber }, 'dead letters could not be delivered again');
      }
      await timers.sleep(Math.min(longestPauseMs, everyMs * 2 ** Math.min(failures, 5)), signal);
    }
  }
}
