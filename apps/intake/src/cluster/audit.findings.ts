import type { Finding } from '@baton/contracts';
import type { CellIds } from '@baton/event-log';

interface Row {
  stream_id: string;
  kind: string;
  detail: string;
  found_at: Date;
  repaired_at: Date | null;
  cursor: string;
}
interface Db {
  query(text: string, values: unknown[]): Promise<{ rows: Row[] }>;
}

const newestFirst = /* sql */ `
select stream_id, kind, detail, found_at, repaired_at, concat_ws('_', extract(epoch from found_at), stream_id, kind) as cursor
from audit_finding
where $1::numeric is null or (found_at, stream_id, kind) < (to_timestamp(0) + $1::numeric * interval '1 second', $2::uuid, $3::text)
order by found_at desc, stream_id desc, kind desc limit $4`;

const cursorForm = /^(\d{1,12}\.\d{6})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_([a-z-]{1,100})$/;

/** What the scheduler's self-audit wrote down, newest first. */
export class AuditFindings {
  constructor(
    private readonly db: Db,
    private readonly ids: Pick<CellIds, 'id'>,
  ) {}

  /** Null: `after` is no cursor of this list. */
  async list(after: string | undefined, limit: number): Promise<{ items: Finding[]; next: string | null } | null> {
    const cursor = after === undefined ? [null, null, null] : cursorForm.exec(after)?.slice(1);
    if (cursor === undefined) return null;
    const { rows } = await this.db.query(newestFirst, [...cursor, limit + 1]);
    const items = rows.slice(0, limit).map((row) => ({
      process: this.ids.id(row.stream_id),
      kind: row.kind,
      detail: row.detail,
      foundAt: row.found_at.toISOString(),
      repairedAt: row.repaired_at?.toISOString() ?? null,
    }));
    return { items, next: rows.length > limit ? (rows[limit - 1]?.cursor ?? null) : null };
  }
}
