import type { Pool } from 'pg';
import type { SnapshotStore } from '../event-log.port.js';
import { CellIds } from '../process-id.js';

/** Folded state of long streams. Never needed: a snapshot that cannot be read is as good as none. */
export class PostgresSnapshotStore implements SnapshotStore {
  private readonly ids: CellIds;
  constructor(
    private readonly pool: Pool,
    cell: string,
  ) {
    this.ids = new CellIds(cell);
  }
  async load(stream: string, shape: number): Promise<{ version: number; state: unknown } | null> {
    const uuid = this.ids.uuid(stream);
    if (uuid === null) return null;
    const { rows } = await this.pool.query<{ version: number; state: unknown }>({
      name: 'load_snapshot',
      text: 'select version, state from snapshot where stream_id = $1 and shape = $2',
      values: [uuid, shape],
    });
    return rows[0] ?? null;
  }
  async save(stream: string, shape: number, version: number, state: unknown): Promise<void> {
    await this.pool.query({
      name: 'save_snapshot',
      text: `insert into snapshot (stream_id, shape, version, state) values ($1, $2, $3, $4)
        on conflict (stream_id, shape) do update
          set version = excluded.version, state = excluded.state, saved_at = now()
          where snapshot.version < excluded.version`,
      values: [this.ids.mustUuid(stream), shape, version, JSON.stringify(state)],
    });
  }
  async clear(): Promise<void> {
    await this.pool.query('truncate snapshot');
  }
}
