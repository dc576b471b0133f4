import type { AuditRepository } from '@baton/catalogue';

const hourMs = 3_600_000;

/** Removes audit rows that are older than their retention, in small batches, once an hour. */
export class AuditRetention {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly audit: Pick<AuditRepository, 'removeOlderThan'>,
    private readonly days: () => number,
    private readonly onError: (error: unknown) => void,
  ) {}

  start(): void {
    this.#timer = setInterval(() => void this.run().catch(this.onError), hourMs);
    this.#timer.unref();
  }

  async run(): Promise<number> {
    let removed = 0;
    for (let count = 1; count > 0; removed += count) count = await this.audit.removeOlderThan(this.days());
    return removed;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
