import type { AuditEntry, JsonRecord } from '@baton/contracts';
import type { DataSource } from 'typeorm';
import { AuditEntity } from '../entities/audit.entity.js';

export interface AuditToWrite {
  who: string;
  from: string | null;
  action: string;
  subject: string;
  detail?: JsonRecord;
}

/** Who did what, when, from where. Rows are added and, after their retention, removed; never changed. */
export class AuditRepository {
  constructor(private readonly source: DataSource) {}

  async write(entry: AuditToWrite): Promise<void> {
    const { who, from, action, subject, detail } = entry;
    await this.source.query(
      'insert into audit (who, from_address, action, subject, detail) values ($1, $2, $3, $4, $5::jsonb)',
      [who, from, action, subject, JSON.stringify(detail ?? {})],
    );
  }

  /** Newest first; `before`: the id of the last of the page before. */
  async list(subject: string | undefined, before: string | undefined, limit: number): Promise<AuditEntry[]> {
    const query = this.source.getRepository(AuditEntity).createQueryBuilder('a').orderBy('a.id', 'DESC').limit(limit);
    if (subject !== undefined) query.andWhere('a.subject = :subject', { subject });
    if (before !== undefined) query.andWhere('a.id < :before', { before });
    return (await query.getMany()).map((row) => ({ ...row, at: row.at.toISOString() }));
  }

  /** In small batches, so that nobody waits for it. Returns how many went. */
  async removeOlderThan(days: number, batch = 1000): Promise<number> {
    const [, count]: [unknown, number] = await this.source.query(
      `delete from audit where id in
         (select id from audit where at < now() - make_interval(days => $1) order by id limit $2)`,
      [days, batch],
    );
    return count;
  }
}
