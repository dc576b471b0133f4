import type { Role, TokenItem } from '@baton/contracts';
import type { ApiTokenRecord, ApiTokenStore } from '@baton/security';
import { type DataSource, IsNull, MoreThan } from 'typeorm';
import { TokenEntity } from '../entities/token.entity.js';

export interface TokenToAdd {
  id: string;
  name: string;
  hash: string;
  role: Role;
  groups: string[];
  createdBy: string;
  expiresAt: string | null;
}

/** API tokens in PostgreSQL; found ones are kept for as long as `keepMs` says, so that a revoked one ends within it. */
export class TokenRepository implements ApiTokenStore {
  readonly #kept = new Map<string, { until: number; record: ApiTokenRecord | null }>();

  constructor(
    private readonly source: DataSource,
    private readonly keepMs: number,
    private readonly now: () => number,
  ) {}

  async find(id: string): Promise<ApiTokenRecord | null> {
    const kept = this.#kept.get(id);
    if (kept && kept.until > this.now()) return kept.record;
    const row = await this.source.getRepository(TokenEntity).findOneBy({ id });
    const record = row ? toRecord(row) : null;
    if (this.#kept.size >= 10_000) this.#kept.clear();
    this.#kept.set(id, { until: this.now() + this.keepMs, record });
    return record;
  }

  /** False: a token of that id is there already. */
  async add(token: TokenToAdd): Promise<boolean> {
    const { id, name, hash, role, groups, createdBy, expiresAt } = token;
    const rows: unknown[] = await this.source.query(
      `insert into api_token (id, name, hash, role, groups, created_by, expires_at)
       values ($1, $2, $3, $4, $5::jsonb, $6, $7) on conflict (id) do nothing returning id`,
      [id, name, hash, role, JSON.stringify(groups), createdBy, expiresAt],
    );
    this.#kept.delete(id);
    return rows.length > 0;
  }

  async item(id: string): Promise<TokenItem | null> {
    const row = await this.source.getRepository(TokenEntity).findOneBy({ id });
    return row ? toItem(row) : null;
  }

  async list(after: string | undefined, limit: number): Promise<TokenItem[]> {
    const rows = await this.source.getRepository(TokenEntity).find({
      ...(after === undefined ? {} : { where: { id: MoreThan(after) } }),
      order: { id: 'asc' },
      take: limit,
    });
    return rows.map(toItem);
  }

  /** False: there is none of that id. Revoking twice is revoking once. */
  async revoke(id: string): Promise<boolean> {
    const tokens = this.source.getRepository(TokenEntity);
    const result = await tokens.update({ id, revokedAt: IsNull() }, { revokedAt: new Date(this.now()) });
    this.#kept.delete(id);
    return result.affected === 1 || (await tokens.existsBy({ id }));
  }
}

function toRecord(row: TokenEntity): ApiTokenRecord {
  const { id, name, hash, role, groups } = row;
  return { id, name, hash, role, groups, expiresAt: iso(row.expiresAt), revokedAt: iso(row.revokedAt) };
}

function toItem(row: TokenEntity): TokenItem {
  const { id, name, role, groups, createdBy } = row;
  const times = { expiresAt: iso(row.expiresAt), revokedAt: iso(row.revokedAt) };
  return { id, name, role, groups, createdBy, createdAt: row.createdAt.toISOString(), ...times };
}

function iso(time: Date | null): string | null {
  return time ? time.toISOString() : null;
}
