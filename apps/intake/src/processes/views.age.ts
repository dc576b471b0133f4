import { type Tail, viewEventTypes } from '@baton/event-log';

/** The subscriber that feeds the list of processes. */
export const viewsSubscriber = 'process-views';

/**
 * How far the list of processes is behind the log: the age of the oldest event that it does not have yet.
 * Asked at most once a second, whoever lists.
 */
export class ViewsAge {
  #known: { at: number; ms: Promise<number> } | undefined;

  constructor(
    private readonly tail: Pick<Tail, 'checkpoint' | 'read'>,
    private readonly clock: { now(): number },
    private readonly subscriber = viewsSubscriber,
  ) {}

  ms(): Promise<number> {
    const now = this.clock.now();
    if (this.#known && now - this.#known.at < 1000) return this.#known.ms;
    const ms = this.#ask();
    this.#known = { at: now, ms };
    ms.catch(() => {
      this.#known = undefined;
    });
    return ms;
  }

  async #ask(): Promise<number> {
    const position = await this.tail.checkpoint(this.subscriber);
    const { events, horizonAgeMs } = await this.tail.read(position, 1, viewEventTypes);
    const oldest = events[0];
    if (!oldest) return horizonAgeMs;
    return Math.max(0, this.clock.now() - Date.parse(oldest.recordedAt));
  }
}
