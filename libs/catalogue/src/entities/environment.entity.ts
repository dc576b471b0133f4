import type { JsonRecord } from '@baton/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('environment')
export class EnvironmentEntity {
  @PrimaryColumn({ type: 'text' })
  name: string;
  @Column({ type: 'jsonb' })
  variables: JsonRecord;
  @Column({ type: 'timestamptz', name: 'updated_at' })
  updatedAt: Date;
}

/** A connection or a secret of an environment, sealed. */
@Entity('environment_entry')
export class EnvironmentEntryEntity {
  @PrimaryColumn({ type: 'text' })
  environment: string;
  @PrimaryColumn({ type: 'text' })
  kind: 'connection' | 'secret';
  @PrimaryColumn({ type: 'text' })
  name: string;
  /** Of a connection: postgresql, … */
  @Column({ type: 'text', nullable: true })
  type: string | null;
  @Column({ type: 'text' })
  sealed: string;
}
