import type { Tail, TailPosition } from '@baton/event-log';
import type { Logger, Meter, Subscription, SubscriptionOptions, Timers } from '../bus.ports.js';
import { busEventOf, eventNameOf, eventTypesOf, type LoggedEvent } from '../bus-event.js';
import type { Delivery } from '../subscription/delivery.js';

export interface TailSubscriptionOptions extends SubscriptionOptions {
  tail: Pick<Tail, 'read' | 'checkpoint' | 'moveCheckpoint' | 'end'>;
  /** The name of its checkpoint; the subscriber's by default. */
  checkpoint?: string;
  delivery: Pick<Delivery, 'deliver'>;
  timers: Timers;
  logger: Logger;
  meter: Meter;
  /** The longest time between two reads, ms. */
  pollMs(): number;
  /** Events of one read. */
  batch: number;
  /** Hints only: false while nobody would hear them, and then nothing is read. */
  isWanted?(): boolean;
  /** Hints only: false for who nobody asks after here; what happens to it is not taken apart. */
  concerns?(subject: string): boolean;
}

/** Hints are read together: at a busy log every commit brings one, and each read costs as much as the commit itself. */
const hintsEveryMs = 20;
/**
 * Between a read that found nothing and the next; twice as long after each, up to the poll. Most commits are told by no
 * hint: an event that came just after one waited for a whole poll (a quarter of a second).
 */
const leastNapMs = 20;

const longestPause = 5_000;

/** Given to abort(): without a reason it makes an error with its stack, which was 6 % of an executor with a hint a commit. */
const wokenUp = 'woken up';

/**
 * Job: one subscriber over the log's tail.
 * Boundary: the tail is a port; what an event means is the handler's.
 * Invariants:
 * 1. With an inbox the checkpoint moves only after every wanted event before it is settled; a crash repeats, never skips.
 * 2. The checkpoint moves by compare-and-set: when another instance moved it, this one goes on from there.
 * 3. Hints begin at the end of what is settled when it starts, or when they are wanted again, and keep no checkpoint;
 *    only the events that are wanted leave the database.
 * 4. Events of one subject are handled in the order of their sequence, one after the other.
 * 5. A wake-up during a read is followed by another read.
 * 6. After something was found the next look comes soon, and while nothing is found ever later, up to the poll.
 * 7. A read that fails is repeated with growing pauses; the subscription never dies.
 */
export class TailSubscription implements Subscription {
  #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();
  #nap = new AbortController();
  #woken = false;
  #readAt: number | null = null;
  #failures = 0;
  #position: TailPosition | null = null;
  #missed = false;
  #napMs = leastNapMs;
  readonly #types: readonly string[] | undefined;

  constructor(private readonly options: TailSubscriptionOptions) {
    const { mode, events } = options;
    this.#types = mode === 'hints' && !events.has('*') ? [...events].flatMap(eventTypesOf) : undefined;
  }

  async start(): Promise<void> {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    await this.#begin(signal);
    if (this.options.mode === 'hints') this.options.onStart?.();
    this.#done = this.#loop(signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#nap.abort();
    await this.#done;
  }

  /** A hint that there is something to read. */
  wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    this.#nap.abort(wokenUp);
  }

  get healthy(): boolean {
    return this.#readAt !== null && this.options.timers.now() - this.#readAt < 3 * this.options.pollMs() + 10_000;
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const { tail, mode, subscriber, checkpoint = subscriber } = this.options;
    while (!signal.aborted) {
      try {
        this.#position = mode === 'hints' ? await tail.end() : await tail.checkpoint(checkpoint);
        this.#failures = 0;
        return;
      } catch (error) {
        await this.#failed(error, signal);
      }
    }
  }

  async #loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#woken = false;
      try {
        const more = await this.#step(signal);
        this.#failures = 0;
        if (!more && !this.#woken) await this.#sleep(signal);
        if (this.options.mode === 'hints') await this.options.timers.sleep(hintsEveryMs, signal);
      } catch (error) {
        await this.#failed(error, signal);
      }
    }
  }

  /** True: there may be more to read at once. */
  async #step(signal: AbortSignal): Promise<boolean> {
    const { tail, subscriber, checkpoint = subscriber, mode, batch, timers, meter } = this.options;
    if (!(await this.#isWanted())) {
      this.#napMs = this.options.pollMs();
      return false;
    }
    const from = this.#position;
    const { events, position, horizonAgeMs } = await tail.read(from, batch, this.#types);
    this.#readAt = timers.now();
    meter.record('baton.bus.tail-horizon', horizonAgeMs / 1000, { subscriber });
    if (mode === 'hints') this.#position = position;
    this.#napMs = events.length > 0 ? 0 : Math.max(leastNapMs, 2 * this.#napMs);
    if (events.length === 0 || position === null) return false;
    for (const event of events) {
      if (signal.aborted) return false;
      if ((await this.#deliver(event, signal)) === 'stopped') return false;
    }
    if (mode === 'hints') return events.length >= batch;
    if (await tail.moveCheckpoint(checkpoint, from, position)) this.#position = position;
    else this.#position = await tail.checkpoint(checkpoint);
    return true;
  }

  /** Invariant 3: what happened while nobody listened is not told later. */
  async #isWanted(): Promise<boolean> {
    const { mode, isWanted, tail, timers } = this.options;
    if (mode !== 'hints' || !isWanted) return true;
    if (!isWanted()) {
      this.#missed = true;
      this.#readAt = timers.now();
      return false;
    }
    if (this.#missed) {
      this.#position = await tail.end();
      this.#missed = false;
      this.#napMs = 0;
      this.options.onStart?.();
    }
    return true;
  }

  async #deliver(event: LoggedEvent, signal: AbortSignal): Promise<string> {
    const { events, delivery, mode, concerns } = this.options;
    if (!events.has('*') && !events.has(eventNameOf(event.type))) return 'unwanted';
    const found = busEventOf(event);
    if (mode === 'hints' && concerns?.(found.subject) === false) return 'unwanted';
    const origin = { transport: 'embedded', stream: event.stream, sequence: event.sequence };
    return delivery.deliver(found, origin, signal);
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    this.#nap = new AbortController();
    if (signal.aborted || this.#woken || this.#napMs === 0) return;
    await this.options.timers.sleep(Math.min(this.#napMs, this.options.pollMs()), this.#nap.signal);
  }

  async #failed(error: unknown, signal: AbortSignal): Promise<void> {
    this.#failures += 1;
    const { subscriber, logger, timers } = this.options;
    logger.warn({ err: error, subscriber, failures: this.#failures }, 'the tail of the log could not be read');
    await timers.sleep(Math.min(longestPause, 50 * 2 ** Math.min(this.#failures, 10)), signal);
  }
}
