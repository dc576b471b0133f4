import { type Append, type AppendResult, type EventLog, InDoubt } from '../event-log.port.js';
import { backoffMs, resultIfOurs, versionBefore } from './settle.js';

export interface AppenderOptions {
  log: Pick<EventLog, 'appendEach' | 'readMany'>;
  /** Connections in use at most: one statement is under way per lane. */
  lanes?: number;
  /** Streams in one statement at most. */
  maxBatch?: number;
  /** Runs a flush once the present step is over; no timer is waited for. */
  schedule?(flush: () => void): void;
  pause?(ms: number): Promise<void>;
  onBatch?(batch: { appends: number; events: number; ms: number }): void;
  onDoubt?(appends: number, error: Error): void;
  monotonicMs?(): number;
}

interface Waiting {
  append: Append;
  doubtful: boolean;
  resolve(result: AppendResult): void;
  reject(error: unknown): void;
}
interface Lane {
  queue: Waiting[];
  busy: boolean;
  scheduled: boolean;
  failures: number;
}

/**
 * Group commit: appends are collected while the previous commit of their lane is under way and go out in one statement.
 *
 * Boundary: gets appends with fixed event ids, settles each as appended, refused or bad; a lost answer is settled by
 * the version and never seen by the caller (design 2, rule 4).
 * Invariants:
 * 1. One append in flight per stream; a stream always takes the same lane, so a batch holds it once.
 * 2. With nothing under way an append leaves at the end of the present step.
 * 3. What is in doubt is sent again with the same ids, before anything newer of its lane.
 * 4. One bad event refuses its own stream only.
 */
export class Appender {
  readonly #lanes: Lane[];
  readonly #inFlight = new Set<string>();
  readonly #options: Required<Omit<AppenderOptions, 'onBatch' | 'onDoubt'>> &
    Pick<AppenderOptions, 'onBatch' | 'onDoubt'>;
  #stopped = false;

  constructor(options: AppenderOptions) {
    this.#options = {
      lanes: 2,
      maxBatch: 500,
      schedule: (flush) => void setImmediate(flush),
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      monotonicMs: () => performance.now(),
      ...options,
    };
    this.#lanes = Array.from({ length: this.#options.lanes }, () => ({
      queue: [],
      busy: false,
      scheduled: false,
      failures: 0,
    }));
  }

  /** Appends that were given and are not settled. */
  get pending(): number {
    return this.#inFlight.size;
  }

  append(append: Append): Promise<AppendResult> {
    if (this.#stopped) return Promise.reject(new InDoubt('The appender has stopped.'));
    if (this.#inFlight.has(append.stream))
      return Promise.reject(new Error(`${append.stream} already has an append in flight.`));
    this.#inFlight.add(append.stream);
    return new Promise<AppendResult>((resolve, reject) => {
      const lane = this.#lanes[laneOf(append.stream, this.#lanes.length)]!;
      lane.queue.push({ append, doubtful: false, resolve, reject });
      this.#kick(lane);
    });
  }

  /** What has not been settled by now stays in doubt; the log says later what became of it. */
  stop(): void {
    this.#stopped = true;
    for (const lane of this.#lanes) {
      for (const waiting of lane.queue.splice(0)) this.#reject(waiting, new InDoubt('The appender was stopped.'));
    }
  }

  #kick(lane: Lane): void {
    if (lane.busy || lane.scheduled || lane.queue.length === 0) return;
    lane.scheduled = true;
    this.#options.schedule(() => {
      lane.scheduled = false;
      void this.#flush(lane);
    });
  }

  async #flush(lane: Lane): Promise<void> {
    if (lane.busy || lane.queue.length === 0) return;
    lane.busy = true;
    const batch = lane.queue.splice(0, this.#options.maxBatch);
    try {
      const doubtful = await this.#send(batch);
      if (doubtful.length > 0) {
        if (this.#stopped)
          for (const waiting of doubtful) this.#reject(waiting, new InDoubt('The appender was stopped.'));
        else {
          lane.queue.unshift(...doubtful);
          await this.#options.pause(backoffMs(lane.failures++));
        }
      } else lane.failures = 0;
    } catch (error) {
      for (const waiting of batch) this.#reject(waiting, error);
    } finally {
      lane.busy = false;
      this.#kick(lane);
    }
  }

  /** Returns what is still in doubt. */
  async #send(batch: Waiting[]): Promise<Waiting[]> {
    const began = this.#options.monotonicMs();
    const outcomes = await this.#options.log.appendEach(batch.map((waiting) => waiting.append));
    this.#options.onBatch?.({
      appends: batch.length,
      events: batch.reduce((sum, waiting) => sum + waiting.append.events.length, 0),
      ms: this.#options.monotonicMs() - began,
    });
    const doubtful: Waiting[] = [];
    const refusedAfterDoubt: Waiting[] = [];
    let doubt: Error | undefined;
    outcomes.forEach((outcome, at) => {
      const waiting = batch[at]!;
      if (outcome.status === 'bad') this.#reject(waiting, outcome.error);
      else if (outcome.status === 'in-doubt') {
        waiting.doubtful = true;
        doubt = outcome.error;
        doubtful.push(waiting);
      } else if (outcome.status === 'refused' && waiting.doubtful) refusedAfterDoubt.push(waiting);
      else this.#resolve(waiting, outcome);
    });
    if (doubt) this.#options.onDoubt?.(doubtful.length, doubt);
    if (refusedAfterDoubt.length > 0) doubtful.push(...(await this.#askTheLog(refusedAfterDoubt)));
    return doubtful;
  }

  async #askTheLog(refused: Waiting[]): Promise<Waiting[]> {
    try {
      const found = await this.#options.log.readMany(
        refused.map(({ append }) => ({ stream: append.stream, after: versionBefore(append) })),
      );
      for (const waiting of refused)
        this.#resolve(waiting, resultIfOurs(waiting.append, found.get(waiting.append.stream) ?? []));
      return [];
    } catch (error) {
      this.#options.onDoubt?.(refused.length, error instanceof Error ? error : new Error(String(error)));
      return refused;
    }
  }

  #resolve(waiting: Waiting, result: AppendResult): void {
    this.#inFlight.delete(waiting.append.stream);
    waiting.resolve(result);
  }
  #reject(waiting: Waiting, error: unknown): void {
    this.#inFlight.delete(waiting.append.stream);
    waiting.reject(error);
  }
}

/** FNV-1a: spreads streams over lanes, always the same one for a stream. */
export function laneOf(stream: string, lanes: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < stream.length; i += 1) hash = Math.imul(hash ^ stream.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % lanes;
}
