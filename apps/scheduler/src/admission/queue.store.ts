import type { CellIds } from '@baton/event-log';
import type { LogPool } from '../scheduler.ports.js';
import { lookIntoQueue } from '../sql/look-into-queue.sql.js';
import { nextStart } from '../sql/next-start.sql.js';

export type OnLimit = 'queue' | 'reject' | 'skip' | 'cancelOldest';
/** A process in the queue whose time has come. */
export interface Candidate {
  stream: string;
  priority: number;
  key: { name: string; limit: number; onLimit: OnLimit } | null;
  /** It holds its key's slot already: somebody died between slot and append. */
  hasSlot: boolean;
  isChild: boolean;
}

interface Row {
  stream_id: string;
  priority: number;
  key: string | null;
  key_limit: number | null;
  on_limit: OnLimit | null;
  has_slot: boolean;
  is_child: boolean;
}

/** Looks into the queue of one cell; nothing is locked. */
export class QueueStore {
  constructor(
    private readonly pool: LogPool,
    private readonly ids: CellIds,
  ) {}

  /** In the order of admission: priority, then age. */
  async look(limit: number, perKey: number): Promise<Candidate[]> {
    const { rows } = await this.pool.query<Row>({
      name: 'look_into_queue',
      text: lookIntoQueue,
      values: [limit, perKey],
    });
    return rows.map((row) => ({
      stream: this.ids.id(row.stream_id),
      priority: row.priority,
      key:
        row.key === null
          ? null
          : { name: row.key, limit: Math.max(1, row.key_limit ?? 1), onLimit: row.on_limit ?? 'queue' },
      hasSlot: row.has_slot,
      isChild: row.is_child,
    }));
  }

  /** ms until the next start time; null: none. */
  async nextStartIn(): Promise<number | null> {
    const { rows } = await this.pool.query<{ in_ms: number | null }>({ name: 'next_start', text: nextStart });
    return rows[0]?.in_ms ?? null;
  }

  async depth(): Promise<Map<number, number>> {
    const { rows } = await this.pool.query<{ priority: number; n: number }>(
      'select priority, count(*)::int as n from queue group by priority',
    );
    return new Map(rows.map((row) => [row.priority, row.n]));
  }
}
