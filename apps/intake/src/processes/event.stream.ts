import type { ServerResponse } from 'node:http';
import type { RecordedEvent } from '@baton/process';
import { eventView } from './event.view.js';
import type { LiveStreams } from './live.streams.js';
import type { ProcessReader } from './process.reader.js';

const aliveMs = 15_000;
const mostBuffered = 4 * 1024 * 1024;
const ends: ReadonlySet<string> = new Set(['ProcessCompleted', 'ProcessFailed', 'ProcessCancelled']);

/**
 * Job: one process's events to one reader, as server-sent events.
 * Invariants:
 * 1. `id` is the sequence: a reader that comes back with Last-Event-ID misses nothing and gets nothing twice.
 * 2. After the process's end and its last event, `event: end` is sent and the response ends.
 * 3. A reader that does not read is let go of, not buffered for without bound.
 */
export class EventStream {
  #unsubscribe: (() => void) | undefined;
  #alive: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly process: string,
    private readonly after: number,
    private readonly response: ServerResponse,
    private readonly live: LiveStreams,
    private readonly reader: Pick<ProcessReader, 'fold'>,
  ) {}

  start(): void {
    this.response.write(': open\n\n');
    this.#alive = setInterval(() => this.response.write(': alive\n\n'), aliveMs);
    this.#unsubscribe = this.live.subscribe(this.process, this.after, (events) => this.#send(events));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#alive);
    this.#unsubscribe?.();
    this.response.end();
  }

  #send(events: readonly RecordedEvent[]): void {
    if (this.#closed) return;
    const text = events.map((event) => `id: ${event.sequence}\ndata: ${JSON.stringify(eventView(event))}\n\n`).join('');
    this.response.write(text);
    if (this.response.writableLength > mostBuffered) {
      this.close();
      return;
    }
    if (events.some((event) => ends.has(event.type))) void this.#endIfOver(events.at(-1)!.sequence);
  }

  /** A process that failed may have been retried: only its whole log tells. Unknown is not over: the stream stays. */
  async #endIfOver(told: number): Promise<void> {
    const folded = await this.reader.fold(this.process).catch(() => null);
    if (this.#closed || !folded || folded.state.end === null || folded.events > told) return;
    this.response.write('event: end\ndata: {}\n\n');
    this.close();
  }
}
