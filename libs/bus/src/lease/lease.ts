import type { LogPool } from '../bus.ports.js';

const hold = /* sql */ `
insert into lease (name, holder, expires_at) values ($1, $2, now() + $3 * interval '1 ms')
on conflict (name) do update
  set holder = excluded.holder, expires_at = excluded.expires_at,
    fence = lease.fence + (lease.holder <> excluded.holder)::int
  where lease.holder = excluded.holder or lease.expires_at < now()
returning fence::text as fence`;

/**
 * A duty that one instance does at a time, by the database's clock. A hint for efficiency, never the fence: whoever was
 * frozen may believe it holds the lease, so what it then writes must be idempotent or a compare-and-set.
 */
export class Lease {
  #known: { fence: bigint; until: number } | null = null;

  /**
   * `trustedMs`: for so long after it was prolonged, it is not asked for again: a fraction of the time it lasts, so
   * nobody else can have it meanwhile. A duty that comes several times a second then costs no commit each time.
   */
  constructor(
    private readonly pool: LogPool,
    private readonly name: string,
    private readonly holder: string,
    private readonly ttlMs: number,
    private readonly trustedMs = 0,
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  /** Takes or prolongs it. Null: somebody else holds it. The number rises with every change of holder. */
  async hold(): Promise<bigint | null> {
    const asked = this.monotonicMs();
    if (this.#known !== null && asked < this.#known.until) return this.#known.fence;
    this.#known = null;
    const { rows } = await this.pool.query<{ fence: string }>(hold, [this.name, this.holder, this.ttlMs]);
    if (!rows[0]) return null;
    const fence = BigInt(rows[0].fence);
    this.#known = { fence, until: asked + this.trustedMs };
    return fence;
  }

  async release(): Promise<void> {
    this.#known = null;
    await this.pool.query('update lease set expires_at = now() where name = $1 and holder = $2', [
      this.name,
      this.holder,
    ]);
  }
}

/** At the end of a service: what it held is free for the next at once. */
export async function releaseLeases(pool: LogPool, holder: string): Promise<void> {
  await pool.query('update lease set expires_at = now() where holder = $1', [holder]);
}
