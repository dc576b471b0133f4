import type { CellIds } from '@baton/event-log';
import type { LogPool } from '../scheduler.ports.js';
import { lookIntoQueue } from '../sql/look-into-queue.sql.js';

export type OnLimit = 'queue' | 'reject' | 'skip' | 'cancelOldest';
/** A process in the queue whose time has come. */
export interface Candidate {
  stream: string;
  priority: number;
  key: { name: string; limit: number; onLimit: OnLimit } | null;
  /** It holds its key's slot already: somebody died between slot and append. */
  hasSlot: boolean;
  isChild: boolean;
  /** Its head's; null: it has none. */
  version: number | null;
}
export interface QueueLook {
  /** In the order of admission: priority, then age. */
  candidates: Candidate[];
  /** ms until the next start time; null: none. */
  nextStartIn: number | null;
}

interface FoundRow {
  stream_id: string;
  priority: number;
  key: string | null;
  key_limit: number | null;
  on_limit: OnLimit | null;
  has_slot: boolean;
  is_child: boolean;
  version: number | null;
  next_start_ms: number | null;
}
/** Always at least one: without a candidate, the next start time. */
type Row = FoundRow | { stream_id: null; next_start_ms: number | null };

/** Looks into the queue of one cell; nothing is locked. */
export class QueueStore {
  constructor(
    private readonly pool: LogPool,
    private readonly ids: CellIds,
  ) {}

  async look(limit: number, perKey: number): Promise<QueueLook> {
    const { rows } = await this.pool.query<Row>({
      name: 'look_into_queue',
      text: lookIntoQueue,
      values: [limit, perKey],
    });
    const found = rows.filter((row): row is FoundRow => row.stream_id !== null);
    return { candidates: found.map((row) => this.#candidate(row)), nextStartIn: rows[0]!.next_start_ms };
  }

  #candidate(row: FoundRow): Candidate {
    const { key, key_limit, on_limit } = row;
    return {
      stream: this.ids.id(row.stream_id),
      priority: row.priority,
      key: key === null ? null : { name: key, limit: Math.max(1, key_limit ?? 1), onLimit: on_limit ?? 'queue' },
      hasSlot: row.has_slot,
      isChild: row.is_child,
      version: row.version,
    };
  }

  async depth(): Promise<Map<number, number>> {
    const { rows } = await this.pool.query<{ priority: number; n: number }>(
      'select priority, count(*)::int as n from queue group by priority',
    );
    return new Map(rows.map((row) => [row.priority, row.n]));
  }
}
