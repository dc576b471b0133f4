import type { JsonRecord } from '@baton/contracts';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** Who did what, when, from where. Append-only. */
@Entity('audit')
export class AuditEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint' })
  id: string;
  @Column({ type: 'timestamptz' })
  at: Date;
  @Column({ type: 'text' })
  who: string;
  @Column({ type: 'text', name: 'from_address', nullable: true })
  from: string | null;
  @Column({ type: 'text' })
  action: string;
  @Column({ type: 'text' })
  subject: string;
  @Column({ type: 'jsonb' })
  detail: JsonRecord;
}
