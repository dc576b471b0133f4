import type { Clock, Logger, Meter } from '../scheduler.ports.js';

/** What a round came by: a hint over the bus or by NOTIFY, the time that is up, or what this service did itself. */
export type Way = 'bus' | 'notify' | 'poll' | 'timer' | 'self';

export interface DutyOptions {
  name: string;
  /** One round. 'again': there is more to do now; a number: come back after so many ms at the latest. */
  run(signal: AbortSignal, way: Way): Promise<'again' | number | undefined>;
  /** The longest time between two rounds, ms; read before each wait, since it may be a setting. */
  everyMs(): number;
  /** Hints that come within so many ms of a round's begin are answered by one round; read after each. */
  gatherMs?(): number;
  clock: Clock;
  logger: Logger;
  meter: Meter;
}

const longestPause = 5_000;

/**
 * Job: runs one duty of the scheduler again and again.
 * Boundary: knows nothing of what the duty does; a hint only makes the next round come sooner.
 * Invariants:
 * 1. Rounds never overlap.
 * 2. A wake-up during a round is followed by another round: no hint is lost.
 * 3. Without any hint a round comes at the latest after everyMs.
 * 4. A hint is answered at once, or together with others when `gatherMs` is up.
 * 5. A round that throws is told, counted and repeated with growing pauses (5 s at most); the duty never dies.
 */
export class Duty {
  readonly name: string;
  /** When the last round ended well, by the clock given; null: none did yet. */
  succeededAt: number | null = null;
  #failures = 0;
  #told: Way | null = null;
  #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();
  #wakeUp: (() => void) | null = null;

  constructor(private readonly options: DutyOptions) {
    this.name = options.name;
  }

  start(): void {
    this.#stop = new AbortController();
    this.#done = this.#loop(this.#stop.signal);
  }

  /** A hint. */
  wake(way: Way = 'self'): void {
    this.#told ??= way;
    this.#wakeUp?.();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wakeUp?.();
    await this.#done;
  }

  /** Progress, not a ping: its last good round is not older than three intervals. */
  get healthy(): boolean {
    if (this.succeededAt === null) return false;
    return this.options.clock.now() - this.succeededAt < 3 * this.options.everyMs() + 10_000;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    let way: Way = 'self';
    while (!signal.aborted) {
      way = this.#told ?? way;
      this.#told = null;
      const begun = this.options.clock.now();
      const pause = await this.#round(signal, way);
      if (this.#failures === 0) await this.#gather(begun, signal);
      if (pause > 0) {
        await this.#wait(pause, signal);
        way = pause < this.options.everyMs() ? 'timer' : 'poll';
      }
    }
  }

  async #round(signal: AbortSignal, way: Way): Promise<number> {
    const { name, clock, logger, meter, everyMs } = this.options;
    const begun = clock.now();
    try {
      const next = await this.options.run(signal, way);
      this.#failures = 0;
      this.succeededAt = clock.now();
      meter.record('baton.scheduler.round', (this.succeededAt - begun) / 1000, { duty: name });
      return next === 'again' ? 0 : Math.min(next ?? everyMs(), everyMs());
    } catch (error) {
      if (signal.aborted) return 0;
      this.#failures += 1;
      meter.count('baton.scheduler.failed-rounds', 1, { duty: name });
      logger.warn({ err: error, duty: name, failures: this.#failures }, 'a round of a duty failed; it is repeated');
      return Math.min(longestPause, 100 * 2 ** Math.min(this.#failures, 10));
    }
  }

  #gather(begun: number, signal: AbortSignal): Promise<void> {
    const ms = begun + (this.options.gatherMs?.() ?? 0) - this.options.clock.now();
    if (ms <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.options.clock.after(ms, done);
      signal.addEventListener('abort', done);
    });
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    // After a failure a hint does not cut the pause short: the database may be away.
    if (signal.aborted || (this.#told !== null && this.#failures === 0)) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#wakeUp = null;
        resolve();
      };
      const cancel = this.options.clock.after(ms, done);
      this.#wakeUp = () => {
        if (signal.aborted || this.#failures === 0) done();
      };
    });
  }
}
