import type { Pool } from 'pg';
import type { AdmissionStore, ChildStore, EndedChild, QueueEntry, SlotAnswer } from '../admission.port.js';
import { CellIds } from '../process-id.js';
import { admittedButQueued } from '../sql/admitted-but-queued.sql.js';
import { freeLeakedSlots } from '../sql/free-leaked-slots.sql.js';
import { lookAtQueue } from '../sql/look-at-queue.sql.js';
import { untoldChildren } from '../sql/untold-children.sql.js';
import { withTransaction } from './transaction.js';

interface QueueRow {
  stream_id: string;
  priority: number;
  not_before: Date | null;
  enqueued_at: Date;
  key: string | null;
  key_limit: number | null;
  on_limit: QueueEntry['onLimit'];
}

/**
 * Slots are rows: taking one locks the key's row, counts in a second statement (the first one's snapshot may be older
 * than the lock), and inserts.
 * Invariants: 1. never more slots of a key than the limit that was asked for; 2. taking is idempotent per process.
 */
export class PostgresAdmissionStore implements AdmissionStore {
  private readonly ids: CellIds;
  constructor(
    private readonly pool: Pool,
    cell: string,
  ) {
    this.ids = new CellIds(cell);
  }

  #entry(row: QueueRow): QueueEntry {
    return {
      stream: this.ids.id(row.stream_id),
      priority: row.priority,
      notBefore: row.not_before?.toISOString() ?? null,
      enqueuedAt: row.enqueued_at.toISOString(),
      key: row.key,
      limit: row.key_limit,
      onLimit: row.on_limit,
    };
  }

  async lookAtQueue(limit: number): Promise<QueueEntry[]> {
    const { rows } = await this.pool.query<QueueRow>(lookAtQueue, [limit]);
    return rows.map((row) => this.#entry(row));
  }

  async nextStartAt(): Promise<string | null> {
    const { rows } = await this.pool.query<{ at: Date | null }>(
      'select min(not_before) as at from queue where not_before > now()',
    );
    return rows[0]?.at?.toISOString() ?? null;
  }

  takeSlot(key: string, limit: number, stream: string): Promise<SlotAnswer> {
    const uuid = this.ids.mustUuid(stream);
    return withTransaction(this.pool, async (client) => {
      await client.query('insert into slot_key (key) values ($1) on conflict do nothing', [key]);
      await client.query('select 1 from slot_key where key = $1 for update', [key]);
      const { rows } = await client.query<{ used: number; mine: boolean | null }>(
        'select count(*)::int as used, bool_or(stream_id = $2) as mine from slot where key = $1',
        [key, uuid],
      );
      const { used, mine } = rows[0]!;
      if (mine) return { taken: true, used };
      if (used >= limit) return { taken: false, used };
      await client.query('insert into slot (key, stream_id) values ($1, $2)', [key, uuid]);
      return { taken: true, used: used + 1 };
    });
  }

  async freeSlots(stream: string): Promise<string[]> {
    const { rows } = await this.pool.query<{ key: string }>('delete from slot where stream_id = $1 returning key', [
      this.ids.mustUuid(stream),
    ]);
    return rows.map((row) => row.key);
  }

  async holders(key: string): Promise<string[]> {
    const { rows } = await this.pool.query<{ stream_id: string }>(
      'select stream_id from slot where key = $1 order by taken_at, stream_id',
      [key],
    );
    return rows.map((row) => this.ids.id(row.stream_id));
  }

  async freeLeakedSlots(limit: number): Promise<string[]> {
    const { rows } = await this.pool.query<{ key: string }>(freeLeakedSlots, [limit]);
    return [...new Set(rows.map((row) => row.key))];
  }

  async admittedButQueued(limit: number): Promise<QueueEntry[]> {
    const { rows } = await this.pool.query<QueueRow>(admittedButQueued, [limit]);
    return rows.map((row) => this.#entry(row));
  }

  async depth(): Promise<{ priority: number; count: number }[]> {
    const { rows } = await this.pool.query<{ priority: number; count: number }>(
      'select priority, count(*)::int as count from queue group by priority order by priority desc',
    );
    return rows;
  }
}

export class PostgresChildStore implements ChildStore {
  private readonly ids: CellIds;
  constructor(
    private readonly pool: Pool,
    cell: string,
  ) {
    this.ids = new CellIds(cell);
  }

  async untold(limit: number): Promise<EndedChild[]> {
    const { rows } = await this.pool.query<{
      stream_id: string;
      parent_id: string;
      path: string;
      attempt: number;
      type: EndedChild['type'];
      data: unknown;
    }>(untoldChildren, [limit]);
    return rows.map((row) => ({
      child: this.ids.id(row.stream_id),
      parent: this.ids.id(row.parent_id),
      path: row.path,
      attempt: row.attempt,
      type: row.type,
      data: row.data,
    }));
  }

  async markTold(child: string): Promise<void> {
    await this.pool.query('update child set told = true where stream_id = $1', [this.ids.mustUuid(child)]);
  }

  async childrenOf(parent: string): Promise<{ child: string; path: string; attempt: number; told: boolean }[]> {
    const uuid = this.ids.uuid(parent);
    if (uuid === null) return [];
    const { rows } = await this.pool.query<{ stream_id: string; path: string; attempt: number; told: boolean }>(
      'select stream_id, path, attempt, told from child where parent_id = $1 order by path, attempt',
      [uuid],
    );
    return rows.map(({ stream_id, ...row }) => ({ child: this.ids.id(stream_id), ...row }));
  }
}
