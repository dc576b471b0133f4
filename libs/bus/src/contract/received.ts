import type { BusEvent } from '../bus-event.js';

/** Collects the events of one subject; `count` waits for them without a clock. */
export class Received {
  readonly events: BusEvent[] = [];
  readonly #waiting: { n: number; resolve: () => void }[] = [];
  constructor(private readonly subject: string) {}

  readonly handle = async (event: BusEvent): Promise<void> => {
    if (event.subject !== this.subject) return;
    this.events.push(event);
    for (const { n, resolve } of this.#waiting) if (this.events.length >= n) resolve();
  };

  count(n: number): Promise<void> {
    if (this.events.length >= n) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ n, resolve }));
  }
}
