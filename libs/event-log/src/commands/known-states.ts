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

/**
 * Long processes as they were folded last, 32 MiB of them at most: only what is newer is read and folded the next time.
 * For who comes back to a process soon: a command after another, an executor that parked it a moment ago.
 */
export class KnownStates<Kept extends Folded = Folded> {
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  /** Out of it: who takes it may change it. */
  take(stream: string): Kept | null {
    const found = this.#kept.get(stream);
    if (found === undefined) return null;
    this.#kept.delete(stream);
    this.#bytes -= bytesOf(found);
    return found;
  }

  keep(stream: string, folded: Kept): void {
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
