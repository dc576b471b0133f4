import { setTimeout as delay } from 'node:timers/promises';
import { createLogPool, PostgresExecutorRegistry } from '@baton/event-log';

/**
 * Tells the log that an executor is over, with the proof that only its supervisor has: it saw the process exit. Its
 * processes are then taken over at once. Tried until the database took it, or until `stop`. The connection stands before
 * it is needed, and the commit does not wait for the disk: whoever lost this record with the server goes by the lease.
 */
export class ExitRecord {
  private readonly pool;
  private readonly registry;
  private readonly stopped = new AbortController();

  constructor(
    url: string,
    private readonly warn: (text: string) => void,
  ) {
    this.pool = createLogPool({
      url,
      application: 'baton up',
      max: 1,
      use: 'heartbeat',
      keepsIdle: true,
      onError: (error) => this.warn(error.message),
    });
    this.registry = new PostgresExecutorRegistry(this.pool, url);
  }

  /** Connects ahead. A failure costs nothing but that: `record` tries again. */
  async prepare(): Promise<void> {
    await this.pool.query('select 1').catch((error: unknown) => this.warn(String(error)));
  }

  async record(executor: string, exit: { code: number | null; signal: string | null }): Promise<void> {
    for (let pauseMs = 50; !this.stopped.signal.aborted; pauseMs = Math.min(pauseMs * 2, 2_000)) {
      try {
        await this.registry.recordExit(executor, exit);
        return;
      } catch (error) {
        this.warn(
          `The exit of ${executor} could not be recorded yet: ${error instanceof Error ? error.message : error}`,
        );
      }
      await delay(pauseMs, undefined, { signal: this.stopped.signal }).catch(() => undefined);
    }
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.pool.end();
  }
}
