import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';

/**
 * Until a tail gives everything that is committed now. Writers of other databases of the same server hold it back, too
 * (design 2, rule 3), and the test files of a run share one: who reads once must wait first.
 */
export async function untilSettled(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ next: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as next');
  const next = BigInt(rows[0]!.next);
  for (;;) {
    const now = await pool.query<{ oldest: string }>('select pg_snapshot_xmin(pg_current_snapshot())::text as oldest');
    if (BigInt(now.rows[0]!.oldest) >= next) return;
    await pause(5);
  }
}
