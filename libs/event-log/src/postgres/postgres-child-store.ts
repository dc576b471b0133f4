import type { Pool } from 'pg';
import type { ChildStore, EndedChild } from '../child.port.js';
import { CellIds } from '../process-id.js';
import { untoldChildren } from '../sql/untold-children.sql.js';

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
