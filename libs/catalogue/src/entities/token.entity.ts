import type { Role } from '@baton/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An API token: only its hash is kept. */
@Entity('api_token')
export class TokenEntity {
  @PrimaryColumn({ type: 'text' })
  id: string;
  @Column({ type: 'text' })
  name: string;
  @Column({ type: 'text' })
  hash: string;
  @Column({ type: 'text' })
  role: Role;
  @Column({ type: 'jsonb' })
  groups: string[];
  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;
  @Column({ type: 'text', name: 'created_by' })
  createdBy: string;
  @Column({ type: 'timestamptz', name: 'expires_at', nullable: true })
  expiresAt: Date | null;
  @Column({ type: 'timestamptz', name: 'revoked_at', nullable: true })
  revokedAt: Date | null;
}
