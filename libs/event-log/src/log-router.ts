import { parseProcessId } from './process-id.js';

/** Everything gets the log of a process from here. Until more cells are asked for there is one. */
export class LogRouter<Log> {
  readonly #cells: ReadonlyMap<string, Log>;
  constructor(cells: ReadonlyMap<string, Log>) {
    if (cells.size === 0) throw new Error('A LogRouter needs at least one cell.');
    this.#cells = cells;
  }
  static single<Log>(cell: string, log: Log): LogRouter<Log> {
    return new LogRouter(new Map([[cell, log]]));
  }
  /** undefined: no such cell, so no such process. */
  of(processId: string): Log | undefined {
    const id = parseProcessId(processId);
    return id ? this.#cells.get(id.cell) : undefined;
  }
  /** Where a new process goes: by the hash of its idempotency key, else the first cell. */
  forNew(): { cell: string; log: Log } {
    const [cell, log] = this.#cells.entries().next().value!;
    return { cell, log };
  }
  all(): { cell: string; log: Log }[] {
    return [...this.#cells].map(([cell, log]) => ({ cell, log }));
  }
}
