import type { JsonRecord } from '@baton/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The name of a process definition and its newest version. */
@Entity('definition')
export class DefinitionEntity {
  @PrimaryColumn({ type: 'text' })
  name: string;
  @Column({ type: 'int', name: 'latest_version' })
  latestVersion: number;
  @Column({ type: 'text', name: 'text_digest' })
  textDigest: string;
}

/** One immutable version: its text, and what the compiler said of it. */
@Entity('definition_version')
export class DefinitionVersionEntity {
  @PrimaryColumn({ type: 'text' })
  name: string;
  @PrimaryColumn({ type: 'int' })
  version: number;
  @Column({ type: 'text' })
  digest: string;
  @Column({ type: 'text' })
  text: string;
  @Column({ type: 'jsonb' })
  summary: JsonRecord;
  @Column({ type: 'timestamptz', name: 'published_at' })
  publishedAt: Date;
  @Column({ type: 'text', name: 'published_by' })
  publishedBy: string;
}
