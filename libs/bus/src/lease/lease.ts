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
  constructor(
    private readonly pool: LogPool,
    private readonly name: string,
    private readonly holder: string,
    private readonly ttlMs: number,
  ) {}

  /** Takes or prolongs it. Null: somebody else holds it. The number rises with every change of holder. */
  async hold(): Promise<bigint | null> {
    const { rows } = await this.pool.query<{ fence: string }>(hold, [this.name, this.holder, this.ttlMs]);
    return rows[0] ? BigInt(rows[0].fence) : null;
  }

  async release(): Promise<void> {
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
