import pg from 'pg';

export interface TargetPoolOptions {
  perTarget: number;
  idleMs: number;
  connectTimeoutMs: number;
}

/**
 * Connections to the targets of `sql`, a pool for each URL. Waiting for a place in it ends when the attempt is aborted;
 * a connection goes back clean (DISCARD ALL) or not at all, so that nothing of one process is seen by another.
 */
export class TargetPools {
  private readonly pools = new Map<string, { pool: pg.Pool; inUse: number; waiting: (() => void)[]; usedAt: number }>();

  constructor(
    private readonly options: TargetPoolOptions = { perTarget: 10, idleMs: 30_000, connectTimeoutMs: 10_000 },
    private readonly now: () => number = () => performance.now(),
  ) {}

  async connect(url: string, signal: AbortSignal): Promise<TargetConnection> {
    this.forgetUnused();
    const entry = this.entry(url);
    entry.usedAt = this.now();
    if (entry.inUse >= this.options.perTarget) await this.place(entry.waiting, signal);
    else entry.inUse += 1;
    const free = () => {
      const next = entry.waiting.shift();
      if (next) next();
      else entry.inUse -= 1;
    };
    try {
      signal.throwIfAborted();
      const reused = entry.pool.idleCount > 0;
      const client = await entry.pool.connect();
      return new TargetConnection(client, reused, free);
    } catch (error) {
      free();
      throw error;
    }
  }

  async end(): Promise<void> {
    const pools = [...this.pools.values()];
    this.pools.clear();
    await Promise.all(pools.map((entry) => entry.pool.end()));
  }

  private entry(url: string) {
    const found = this.pools.get(url);
    if (found) return found;
    const pool = new pg.Pool({
      connectionString: url,
      max: this.options.perTarget,
      idleTimeoutMillis: this.options.idleMs,
      connectionTimeoutMillis: this.options.connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      application_name: 'baton-sql',
      allowExitOnIdle: true,
    });
    // An idle connection that the server closed is dropped by the pool; the next use makes a new one.
    pool.on('error', () => undefined);
    // One that is closed in the very moment in which it is handed out: its next query fails; unheard, it would end the program.
    pool.on('connect', (client) => client.on('error', () => undefined));
    const made = { pool, inUse: 0, waiting: [], usedAt: this.now() };
    this.pools.set(url, made);
    return made;
  }

  private place(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const granted = () => {
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      const aborted = () => {
        const index = waiting.indexOf(granted);
        if (index >= 0) waiting.splice(index, 1);
        reject(signal.reason);
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', aborted, { once: true });
      waiting.push(granted);
    });
  }

  /** A changed password makes another URL; the pool of the old one goes when nobody has asked for it in a while. */
  private forgetUnused(): void {
    for (const [url, entry] of this.pools)
      if (entry.inUse === 0 && entry.waiting.length === 0 && this.now() - entry.usedAt > this.options.idleMs * 10) {
        this.pools.delete(url);
        entry.pool.end().catch(() => undefined);
      }
  }
}

export class TargetConnection {
  private over = false;

  constructor(
    readonly client: pg.PoolClient,
    /** It has been used before, and may have died unseen since. */
    readonly reused: boolean,
    private readonly free: () => void,
  ) {
    client.on('error', this.onError);
  }

  /** Cuts it off, whatever it is doing; the server rolls back what was not committed. */
  readonly cut = (): void => {
    this.give(true);
  };

  /** Back to the pool, without keeping the caller waiting. */
  giveBack(): void {
    if (this.over) return;
    this.client.query('discard all').then(
      () => this.give(false),
      () => this.give(true),
    );
  }

  private give(destroy: boolean): void {
    if (this.over) return;
    this.over = true;
    this.client.removeListener('error', this.onError);
    if (destroy) this.client.on('error', () => undefined);
    this.client.release(destroy);
    this.free();
  }

  // The query under way is rejected with the same error; between queries the next one is.
  private readonly onError = (): void => undefined;
}
