import type { Consumer } from 'kafkajs';
import type { Timers } from '../bus.ports.js';

export interface HintGateOptions {
  consumer: Pick<Consumer, 'pause' | 'resume' | 'seek'>;
  topics: readonly string[];
  /** Where each partition ends now. */
  ends(): Promise<readonly { topic: string; partition: number; offset: string }[]>;
  isWanted(): boolean;
  /** Hints are told from here on. */
  onOpen(): void;
  onFault(error: unknown): void;
  timers: Timers;
}

/** How late a change of what is wanted may be noticed, ms. Until then polls find what is missed. */
const lookEveryMs = 250;

/**
 * Job: lets a consumer of hints rest while nobody wants them: then nothing is fetched, and nothing taken apart, of a
 * topic that holds 24 records for a process of ten operators.
 * Boundary: whether they are wanted is asked; what a record means is the subscription's.
 * Invariants:
 * 1. While it is closed nothing is fetched; the consumer stays in its group, so that it opens within moments.
 * 2. It opens at the end of the topics: what happened while it was closed is not told later. `onOpen` comes after that.
 * 3. A broker that cannot say where they end keeps it closed; it is asked again.
 */
export class HintGate {
  #isOpen = true;
  readonly #dropped = new AbortController();

  constructor(private readonly options: HintGateOptions) {}

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Until its consumer is dropped, or the subscription is stopped. */
  async run(stopped: AbortSignal): Promise<void> {
    const { isWanted, onFault, timers } = this.options;
    const signal = AbortSignal.any([stopped, this.#dropped.signal]);
    while (!signal.aborted) {
      try {
        if (isWanted() !== this.#isOpen) await this.#turn(signal);
      } catch (error) {
        if (!signal.aborted) onFault(error);
      }
      await timers.sleep(lookEveryMs, signal);
    }
  }

  /** kafkajs begins anew now and then, and has forgotten by then what was paused. */
  joined(): void {
    if (!this.#isOpen) this.#pause();
  }

  /** Its consumer is no more. */
  drop(): void {
    this.#dropped.abort();
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { consumer, topics, ends, onOpen } = this.options;
    if (this.#isOpen) {
      this.#pause();
      this.#isOpen = false;
      return;
    }
    const found = await ends();
    if (signal.aborted) return;
    for (const end of found) consumer.seek(end);
    consumer.resume(topics.map((topic) => ({ topic })));
    this.#isOpen = true;
    onOpen();
  }

  #pause(): void {
    const { consumer, topics } = this.options;
    consumer.pause(topics.map((topic) => ({ topic })));
  }
}
