import type { LogPool } from './scheduler.ports.js';

/** The database's clock as this process knows it: an offset learnt now and then, carried on by the monotonic clock. */
export class DatabaseTime {
  #offset: number | null = null;
  constructor(private readonly pool: LogPool) {}

  async learn(): Promise<void> {
    const { rows } = await this.pool.query<{ ms: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
    );
    this.#offset = rows[0]!.ms - performance.now();
  }

  now(): number {
    return Math.round(this.#offset === null ? Date.now() : performance.now() + this.#offset);
  }
}
