import pg from 'pg';
import { explainConnectFailure } from './log-pool.js';

export interface ReconnectingOptions {
  url: string;
  application: string;
  /** Makes the session what it must be; a failure here ends it and it is tried again. */
  onConnect(client: pg.Client): Promise<void>;
  /** A connection may be half open: no error, no end, and nothing arrives. Asked at intervals; silence ends it. */
  check(client: pg.Client): Promise<void>;
  checkEveryMs: number;
  onLost?(error: Error | null): void;
  retryMs?: { first: number; most: number };
}

/**
 * One session that is meant to last: connects again with growing, jittered pauses whenever it was lost.
 * Invariants: 1. at most one client at a time; 2. after stop() none, and no timer; 3. onLost once per lost session.
 */
export class Reconnecting {
  #client: pg.Client | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = true;
  #failures = 0;
  constructor(private readonly options: ReconnectingOptions) {}

  /** The session, while there is one. */
  get client(): pg.Client | null {
    return this.#client;
  }

  /** Resolves when the first try is over, whether or not it succeeded. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#connect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const client = this.#client;
    this.#client = null;
    if (client) await endQuietly(client);
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.options.url,
      application_name: this.options.application,
      connectionTimeoutMillis: 5_000,
      query_timeout: 5_000,
      keepAlive: true,
    });
    let lost = false;
    const onLost = (error: Error | null): void => {
      if (lost) return;
      lost = true;
      void endQuietly(client);
      if (this.#client === client || this.#client === null) {
        this.#client = null;
        if (!this.#stopped) {
          this.options.onLost?.(error);
          this.#again();
        }
      }
    };
    client.on('error', onLost);
    client.on('end', () => onLost(null));
    try {
      await client.connect();
      await this.options.onConnect(client);
      if (lost) return;
      if (this.#stopped) {
        lost = true;
        await endQuietly(client);
        return;
      }
      this.#client = client;
      this.#failures = 0;
      this.#checkLater(client, onLost);
    } catch (error) {
      const explained = explainConnectFailure(error);
      onLost(explained instanceof Error ? explained : new Error(String(explained)));
    }
  }

  #checkLater(client: pg.Client, onLost: (error: Error | null) => void): void {
    this.#timer = setTimeout(() => {
      this.options.check(client).then(
        () => {
          if (this.#client === client) this.#checkLater(client, onLost);
        },
        (error: Error) => onLost(error),
      );
    }, this.options.checkEveryMs);
    this.#timer.unref();
  }

  #again(): void {
    const { first, most } = this.options.retryMs ?? { first: 50, most: 2_000 };
    const pause = Math.min(most, first * 2 ** Math.min(this.#failures++, 10)) * (0.5 + Math.random());
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), pause);
    this.#timer.unref();
  }
}

async function endQuietly(client: pg.Client): Promise<void> {
  try {
    await client.end();
  } catch (error) {
    // It is gone already, which is what was asked for.
    void error;
  }
}
