import type { Pool } from 'pg';

/**
 * The database's clock, without a question for each look: its distance from a monotonic clock, learnt again every so
 * often. A wall clock of this machine that is set does no harm.
 */
export class DatabaseClock {
  #offset: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    private readonly onError: (error: unknown) => void,
    private readonly monotonic: () => number = () => performance.now(),
  ) {}

  async start(everyMs = 10_000): Promise<void> {
    await this.learn();
    this.#timer = setInterval(() => void this.learn().catch(this.onError), everyMs);
    this.#timer.unref();
  }

  async learn(): Promise<void> {
    const asked = this.monotonic();
    const { rows } = await this.pool.query<{ ms: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
    );
    const answered = this.monotonic();
    this.#offset = Number(rows[0]?.ms) - (asked + answered) / 2;
  }

  now(): number {
    return this.#offset === null ? Date.now() : Math.round(this.monotonic() + this.#offset);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
