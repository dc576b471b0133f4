import { createLogPool, PostgresTail, type TailPosition } from '@baton/event-log';
import type { RecordedEvent } from '@baton/process';
import { WatchState } from './watch.state.js';

/** Follows the tail of Baton's log, as any subscriber may, and keeps what it read for the audit at the end. */
export class LogWatcher {
  readonly state = new WatchState();
  readonly streams = new Map<string, RecordedEvent[]>();
  #position: TailPosition | null = null;
  readonly #pool: ReturnType<typeof createLogPool>;
  readonly #tail: PostgresTail;

  constructor(url: string, cell: string) {
    this.#pool = createLogPool({ url, application: 'baton-demo', max: 2 });
    this.#tail = new PostgresTail(this.#pool, cell);
  }

  /** Reads all that is settled. */
  async read(): Promise<void> {
    for (;;) {
      const { events, position } = await this.#tail.read(this.#position, 1_000);
      if (position) this.#position = position;
      for (const event of events) {
        this.state.apply(event);
        const stream = this.streams.get(event.stream);
        if (stream) stream.push(event);
        else this.streams.set(event.stream, [event]);
      }
      if (events.length < 1_000) return;
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
