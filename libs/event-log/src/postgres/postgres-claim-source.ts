import type { Pool } from 'pg';
import type { ClaimSource } from '../event-log.port.js';
import { CellIds } from '../process-id.js';
import { lookForOrphans } from '../sql/look-for-orphans.sql.js';
import { lookForRunnable } from '../sql/look-for-runnable.sql.js';
import { nextDueAt } from '../sql/next-due-at.sql.js';
import { ownedBy } from '../sql/owned-by.sql.js';

/** Looks only: what is found is taken by an append at the version that was seen, so a look may be stale without harm. */
export class PostgresClaimSource implements ClaimSource {
  private readonly ids: CellIds;
  constructor(
    private readonly pool: Pool,
    cell: string,
  ) {
    this.ids = new CellIds(cell);
  }

  async lookForRunnable(
    limit: number,
    { me, except = [], othersMs }: Parameters<ClaimSource['lookForRunnable']>[1],
  ): ReturnType<ClaimSource['lookForRunnable']> {
    type Row = { id: string; version: number; claims: number; priority: number; waited: number; mine: boolean };
    const { rows } = await this.pool.query<Row>({
      name: 'look_for_runnable',
      text: lookForRunnable,
      values: [limit, this.uuids(except), me, othersMs ?? null],
    });
    return rows.map(({ id, waited, ...row }) => ({ stream: this.ids.id(id), ...row, waitedMs: Math.max(0, waited) }));
  }

  async ownedBy(executor: string): Promise<{ stream: string; version: number }[]> {
    const { rows } = await this.pool.query<{ id: string; version: number }>({
      name: 'owned_by',
      text: ownedBy,
      values: [executor],
    });
    return rows.map((row) => ({ stream: this.ids.id(row.id), version: row.version }));
  }

  async lookForOrphans(limit: number, except: readonly string[] = []): ReturnType<ClaimSource['lookForOrphans']> {
    // Looks at several times what it takes, so that two survivors seldom take the same.
    type Row = { id: string; version: number; owner: string; claims: number; waited: number | null };
    const { rows } = await this.pool.query<Row>({
      name: 'look_for_orphans',
      text: lookForOrphans,
      values: [limit, Math.max(limit * 4, 200), this.uuids(except)],
    });
    return rows.map(({ id, waited, ...row }) => ({
      stream: this.ids.id(id),
      ...row,
      ...(waited === null ? {} : { waitedMs: Math.max(0, waited) }),
    }));
  }

  private uuids(streams: readonly string[]): string[] {
    return streams.flatMap((stream) => this.ids.uuid(stream) ?? []);
  }

  async nextDueAt(): Promise<string | null> {
    const { rows } = await this.pool.query<{ due: Date | null }>({ name: 'next_due_at', text: nextDueAt });
    return rows[0]?.due?.toISOString() ?? null;
  }
}
