import type { RecordedEvent } from '@baton/process';
import type { Pool, PoolClient } from 'pg';
import { CellIds } from '../process-id.js';
import type { Page, ProcessListItem, ProcessQuery, ProcessViews } from '../read-model.port.js';
import { pageSize, readCursor, writeCursor } from '../read-models/cursor.js';
import { type ProcessView, viewAfter } from '../read-models/process-view.js';
import { listProcessViews } from '../sql/list-process-views.sql.js';
import { saveProcessViews } from '../sql/save-process-views.sql.js';

interface ViewRow {
  stream_id: string;
  applied: number;
  definition: string;
  definition_version: number;
  title: string | null;
  environment: string | null;
  status: string;
  outcome: ProcessView['outcome'];
  paused: boolean;
  compensating: boolean;
  waiting: boolean;
  incidents: number;
  owner: string | null;
  priority: number;
  requester: string;
  parent_id: string | null;
  labels: Record<string, string> | null;
  requested_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
}

export class PostgresProcessViews implements ProcessViews {
  private readonly ids: CellIds;
  constructor(
    private readonly pool: Pool,
    cell: string,
  ) {
    this.ids = new CellIds(cell);
  }

  async apply(events: readonly RecordedEvent[]): Promise<void> {
    if (events.length === 0) return;
    // One whose first event is among them is folded from it: if it has a row already, `save` keeps what has applied more.
    const fresh = new Set(events.filter((event) => event.sequence === 1).map((event) => event.stream));
    const known = [...new Set(events.map((event) => event.stream))].filter((stream) => !fresh.has(stream));
    const rows = known.length > 0 ? await this.#rows(known) : [];
    const views = new Map<string, ProcessView>(rows.map((row) => [this.ids.id(row.stream_id), this.#view(row)]));
    for (const event of events) {
      const after = viewAfter(views.get(event.stream) ?? null, event);
      if (after) views.set(event.stream, after);
    }
    await this.save([...views.values()]);
  }

  async #rows(streams: readonly string[]): Promise<ViewRow[]> {
    const { rows } = await this.pool.query<ViewRow>({
      name: 'views_of',
      text: 'select v.* from unnest($1::uuid[]) s(id) join process_view v on v.stream_id = s.id',
      values: [streams.map((stream) => this.ids.mustUuid(stream))],
    });
    return rows;
  }

  async save(views: readonly ProcessView[], db: Pool | PoolClient = this.pool): Promise<void> {
    if (views.length === 0) return;
    await db.query(saveProcessViews, [JSON.stringify(views.map((view) => this.#row(view)))]);
  }

  async list(query: ProcessQuery): Promise<Page<ProcessListItem>> {
    const limit = pageSize(query.limit);
    const [micros, stream] = query.after === undefined ? [null, null] : readCursor(query.after, ['micros', 'uuid']);
    const labels = query.labels && Object.keys(query.labels).length > 0 ? JSON.stringify(query.labels) : null;
    const text = listProcessViews({
      status: query.status?.includes(',') ? 'several' : query.status !== undefined,
      definition: query.definition !== undefined,
      labels: labels !== null,
      after: query.after !== undefined,
    });
    const { rows } = await this.pool.query<ViewRow & { micros: string }>(text, [
      limit + 1,
      query.status ?? null,
      query.definition ?? null,
      labels,
      micros,
      stream,
    ]);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map((row) => {
        const view = this.#view(row);
        return {
          id: view.stream,
          definition: view.definition,
          version: view.definitionVersion,
          title: view.title,
          environment: view.environment,
          status: view.status,
          owner: view.owner,
          priority: view.priority,
          requester: view.requester,
          parent: view.parent,
          labels: view.labels,
          requestedAt: view.requestedAt,
          startedAt: view.startedAt,
          endedAt: view.endedAt,
        };
      }),
      next: rows.length > limit && last ? writeCursor([last.micros, last.stream_id]) : null,
    };
  }

  async countByStatus(): Promise<Record<string, number>> {
    const { rows } = await this.pool.query<{ status: string; count: number }>(
      'select status, count(*)::int as count from process_view group by status',
    );
    return Object.fromEntries(rows.map((row) => [row.status, row.count]));
  }

  async clear(): Promise<void> {
    await this.pool.query('truncate process_view');
  }

  #view(row: ViewRow): ProcessView {
    return {
      stream: this.ids.id(row.stream_id),
      applied: row.applied,
      definition: row.definition,
      definitionVersion: row.definition_version,
      title: row.title,
      environment: row.environment,
      status: row.status,
      outcome: row.outcome,
      paused: row.paused,
      compensating: row.compensating,
      waiting: row.waiting,
      incidents: row.incidents,
      owner: row.owner,
      priority: row.priority,
      requester: row.requester,
      parent: row.parent_id === null ? null : this.ids.id(row.parent_id),
      labels: row.labels ?? {},
      requestedAt: row.requested_at.toISOString(),
      startedAt: row.started_at?.toISOString() ?? null,
      endedAt: row.ended_at?.toISOString() ?? null,
    };
  }

  #row(view: ProcessView): object {
    return {
      stream_id: this.ids.mustUuid(view.stream),
      applied: view.applied,
      definition: view.definition,
      definition_version: view.definitionVersion,
      title: view.title,
      environment: view.environment,
      status: view.status,
      outcome: view.outcome,
      paused: view.paused,
      compensating: view.compensating,
      waiting: view.waiting,
      incidents: view.incidents,
      owner: view.owner,
      priority: view.priority,
      requester: view.requester,
      parent_id: view.parent === null ? null : this.ids.mustUuid(view.parent),
      labels: Object.keys(view.labels).length > 0 ? view.labels : null,
      requested_at: view.requestedAt,
      started_at: view.startedAt,
      ended_at: view.endedAt,
    };
  }
}
