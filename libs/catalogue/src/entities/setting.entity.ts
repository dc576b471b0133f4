import type { JsonValue } from '@baton/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A cluster setting that differs from its default. The value is wrapped, so that null can be a value. */
@Entity('setting')
export class SettingEntity {
  @PrimaryColumn({ type: 'text' })
  name: string;
  @Column({ type: 'jsonb' })
  value: { value: JsonValue };
  @Column({ type: 'timestamptz', name: 'changed_at' })
  changedAt: Date;
  @Column({ type: 'text', name: 'changed_by' })
  changedBy: string;
}
