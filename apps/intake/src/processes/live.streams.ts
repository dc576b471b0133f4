import type { EventLog, WakeUp } from '@baton/event-log';
import type { RecordedEvent } from '@baton/process';

export interface LiveStreamsOptions {
  log: Pick<EventLog, 'readMany'>;
  wakeUp: Pick<WakeUp, 'listen'>;
  pollMs(): number;
  onError(error: unknown): void;
  /** Runs `work` after `ms`; returns how to call it off. */
  later?(ms: number, work: () => void): () => void;
}
interface Subscriber {
  stream: string;
  after: number;
  deliver(events: RecordedEvent[]): void;
}

const hintMs = 15;

/**
 * Job: brings new events of many processes to those who watch them.
 * Boundary: one query for all that are watched, at most one at a time.
 * Invariants:
 * 1. A subscriber gets every event after its position once, in order, whatever hints are lost.
 * 2. A database that is away delays, it ends no subscription.
 * 3. A hint makes it sooner; without one it is the poll's interval at most.
 */
export class LiveStreams {
  readonly #options: Required<LiveStreamsOptions>;
  readonly #subscribers = new Set<Subscriber>();
  readonly #watchers = new Map<string, number>();
  #callOff: (() => void) | undefined;
  #dueIn = Number.POSITIVE_INFINITY;
  #reading = false;
  #again = false;
  #unlisten: (() => void) | undefined;

  constructor(options: LiveStreamsOptions) {
    this.#options = { later, ...options };
  }

  get size(): number {
    return this.#subscribers.size;
  }

  watches(stream: string): boolean {
    return (this.#watchers.get(stream) ?? 0) > 0;
  }

  start(): void {
    this.#unlisten = this.#options.wakeUp.listen((_, detail) => this.hint(detail));
  }

  /** Something happened to this process, or (empty) to some process. */
  hint(stream: string): void {
    if (stream === '' || this.watches(stream)) this.#soon(hintMs);
  }

  stop(): void {
    this.#unlisten?.();
    this.#callOff?.();
    this.#subscribers.clear();
  }

  subscribe(stream: string, after: number, deliver: (events: RecordedEvent[]) => void): () => void {
    const subscriber = { stream, after, deliver };
    this.#subscribers.add(subscriber);
    this.#watchers.set(stream, (this.#watchers.get(stream) ?? 0) + 1);
    this.#soon(0);
    return () => {
      if (!this.#subscribers.delete(subscriber)) return;
      const left = (this.#watchers.get(stream) ?? 1) - 1;
      if (left > 0) this.#watchers.set(stream, left);
      else this.#watchers.delete(stream);
    };
  }

  #soon(ms: number): void {
    if (this.#subscribers.size === 0) return;
    if (this.#reading) {
      this.#again ||= ms < this.#options.pollMs();
      return;
    }
    if (this.#callOff && this.#dueIn <= ms) return;
    this.#callOff?.();
    this.#dueIn = ms;
    this.#callOff = this.#options.later(ms, () => void this.#read());
  }

  async #read(): Promise<void> {
    this.#callOff = undefined;
    this.#dueIn = Number.POSITIVE_INFINITY;
    this.#reading = true;
    this.#again = false;
    try {
      const from = new Map<string, number>();
      for (const { stream, after } of this.#subscribers) {
        from.set(stream, Math.min(after, from.get(stream) ?? Number.POSITIVE_INFINITY));
      }
      const found = await this.#options.log.readMany([...from].map(([stream, after]) => ({ stream, after })));
      for (const subscriber of this.#subscribers) this.#deliver(subscriber, found.get(subscriber.stream) ?? []);
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#reading = false;
      this.#soon(this.#again ? hintMs : this.#options.pollMs());
    }
  }

  #deliver(subscriber: Subscriber, events: RecordedEvent[]): void {
    const fresh = events.filter((event) => event.sequence > subscriber.after);
    const last = fresh.at(-1);
    if (!last) return;
    subscriber.after = last.sequence;
    subscriber.deliver(fresh);
  }
}

function later(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}
