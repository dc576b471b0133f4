import type { ProcessState } from '@baton/process';

/** A process as far as it is folded, and nothing else: what the log does not hold is never in it. */
export interface Folded {
  state: ProcessState;
  version: number;
  /** The id of the event at that version: a log that was restored since has another. */
  last: string;
}

/** Short processes are read again in one round trip. */
const shortest = 100;
const mostBytes = 32 * 1024 * 1024;

/** The long processes that commands came to last: only what is newer is read and folded for the next one. */
export class KnownStates {
  readonly #kept = new Map<string, Folded>();
  #bytes = 0;

  /** Out of it: who takes it may change it. */
  take(stream: string): Folded | null {
    const found = this.#kept.get(stream);
    if (found === undefined) return null;
    this.#kept.delete(stream);
    this.#bytes -= bytesOf(found);
    return found;
  }

  keep(stream: string, folded: Folded): void {
    if (folded.version < shortest || folded.state.end !== null) return;
    this.take(stream);
    this.#kept.set(stream, folded);
    this.#bytes += bytesOf(folded);
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= mostBytes) return;
      this.take(oldest);
    }
  }
}

/** What is kept does not change while it is kept, so it is counted alike when it goes. */
const bytesOf = ({ state }: Folded): number => state.size + 4096;
