import type { Json } from '@baton/process';
import type { Pool } from 'pg';
import { CellIds } from '../process-id.js';
import type { IncidentItem, Page, ReceiverItem, TaskItem, WorkLists } from '../read-model.port.js';
import { pageSize, readCursor, writeCursor } from '../read-models/cursor.js';

interface TaskRow {
  stream_id: string;
  id: string;
  path: string;
  attempt: number;
  due_at: Date | null;
  opened_at: Date;
  detail: Json;
}
interface IncidentRow {
  stream_id: string;
  id: string;
  path: string | null;
  kind: string;
  opened_at: Date;
  detail: Json;
}

/** Open tasks and incidents, as of now: their rows are written by the appends that open and close them. */
export class PostgresWorkLists implements WorkLists {
  private readonly ids: CellIds;
  constructor(
    private readonly pool: Pool,
    cell: string,
  ) {
    this.ids = new CellIds(cell);
  }

  async tasks(query: { after?: string; limit?: number; process?: string } = {}): Promise<Page<TaskItem>> {
    const rows = await this.#page<TaskRow>('task', query);
    return this.#paged(rows, pageSize(query.limit), (row) => this.#task(row));
  }

  async task(id: string): Promise<TaskItem | null> {
    const { rows } = await this.pool.query<TaskRow>('select * from task where id = $1 limit 1', [id]);
    return rows[0] ? this.#task(rows[0]) : null;
  }

  async incidents(
    query: { after?: string; limit?: number; process?: string; kind?: string } = {},
  ): Promise<Page<IncidentItem>> {
    const rows = await this.#page<IncidentRow>('incident', query);
    return this.#paged(rows, pageSize(query.limit), (row) => this.#incident(row));
  }

  async incident(id: string): Promise<IncidentItem | null> {
    const { rows } = await this.pool.query<IncidentRow>('select * from incident where id = $1 limit 1', [id]);
    return rows[0] ? this.#incident(rows[0]) : null;
  }

  async receivers(process: string): Promise<ReceiverItem[]> {
    const uuid = this.ids.uuid(process);
    if (uuid === null) return [];
    const { rows } = await this.pool.query<{
      path: string;
      attempt: number;
      name: string;
      key: string | null;
      topic: string | null;
      opened_at: Date;
    }>('select path, attempt, name, key, topic, opened_at from receiver where stream_id = $1 order by path', [uuid]);
    return rows.map(({ opened_at, ...row }) => ({ ...row, openedAt: opened_at.toISOString() }));
  }

  /** By process and id: process ids begin with their time, so the oldest comes first, and no further index is needed. */
  async #page<Row extends { stream_id: string; id: string }>(
    table: 'task' | 'incident',
    query: { after?: string; limit?: number; process?: string; kind?: string },
  ): Promise<Row[]> {
    const values: unknown[] = [pageSize(query.limit) + 1];
    const conditions = ['true'];
    if (query.after !== undefined) {
      const [stream, id] = readCursor(query.after, ['uuid', 'string']);
      values.push(stream, id);
      conditions.push(`(stream_id, id) > ($${values.length - 1}::uuid, $${values.length})`);
    }
    if (query.process !== undefined) {
      values.push(this.ids.uuid(query.process));
      conditions.push(`stream_id = $${values.length}::uuid`);
    }
    if (query.kind !== undefined) {
      values.push(query.kind);
      conditions.push(`kind = $${values.length}`);
    }
    const text = `select * from ${table} where ${conditions.join(' and ')} order by stream_id, id limit $1`;
    return (await this.pool.query<Row>(text, values)).rows;
  }

  #paged<Row extends { stream_id: string; id: string }, Item>(
    rows: Row[],
    limit: number,
    item: (row: Row) => Item,
  ): Page<Item> {
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map(item),
      next: rows.length > limit && last ? writeCursor([last.stream_id, last.id]) : null,
    };
  }

  #task(row: TaskRow): TaskItem {
    return {
      id: row.id,
      process: this.ids.id(row.stream_id),
      path: row.path,
      attempt: row.attempt,
      dueAt: row.due_at?.toISOString() ?? null,
      openedAt: row.opened_at.toISOString(),
      detail: row.detail,
    };
  }

  #incident(row: IncidentRow): IncidentItem {
    return {
      id: row.id,
      process: this.ids.id(row.stream_id),
      path: row.path,
      kind: row.kind,
      openedAt: row.opened_at.toISOString(),
      detail: row.detail,
    };
  }
}
