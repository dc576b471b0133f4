/** Time as a component may see it: injected, so that a test or the simulation turns it. */
export interface Clock {
  /** Wall clock, ms since 1970. */
  wall(): number;
  /** Monotonic clock, ms. Stops while the machine is suspended; hence the wall clock beside it. */
  monotonic(): number;
  /** Calls once after `ms`; the answer cancels it. Longer waits than an hour are capped: the caller looks again. */
  after(ms: number, call: () => void): () => void;
}

export const longestWait = 3_600_000;

export function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
