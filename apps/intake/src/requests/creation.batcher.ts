import type { CreateResult, NewProcess, RequestStore } from '@baton/event-log';

interface Waiting {
  request: NewProcess;
  resolve(result: CreateResult): void;
  reject(error: unknown): void;
}

/**
 * Job: many callers, one commit: creations are collected while the commit before is under way.
 * Boundary: a request goes in, what became of it comes out, after the commit.
 * Invariants:
 * 1. With nothing under way a creation leaves at the end of the present step.
 * 2. Two creations with one key are never in one batch: the second is answered from what the first left.
 * 3. When a batch fails as a whole, each of its callers is told.
 */
export class CreationBatcher {
  readonly #waiting: Waiting[] = [];
  #busy = 0;
  #scheduled = false;

  constructor(
    private readonly store: Pick<RequestStore, 'createMany'>,
    private readonly largest = 1_000,
    private readonly lanes = 2,
  ) {}

  create(request: NewProcess): Promise<CreateResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      this.#kick();
    });
  }

  #kick(): void {
    if (this.#scheduled || this.#busy >= this.lanes || this.#waiting.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#take();
    if (batch.length === 0) return;
    this.#busy++;
    this.#kick();
    try {
      const results = await this.store.createMany(batch.map((waiting) => waiting.request));
      for (const [at, waiting] of batch.entries()) waiting.resolve(results[at]!);
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    } finally {
      this.#busy--;
      this.#kick();
    }
  }

  #take(): Waiting[] {
    const keys = new Set<string>();
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    for (const waiting of this.#waiting.splice(0)) {
      const key = waiting.request.key ? JSON.stringify([waiting.request.key.principal, waiting.request.key.key]) : null;
      if (batch.length >= this.largest || (key !== null && keys.has(key))) left.push(waiting);
      else {
        batch.push(waiting);
        if (key !== null) keys.add(key);
      }
    }
    this.#waiting.push(...left);
    return batch;
  }
}
