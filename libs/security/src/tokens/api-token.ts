import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Role } from '@baton/contracts';

/** `bt_ID_SECRET`: the id finds the record, the secret is compared in constant time. Shown once, stored as a hash. */
export interface NewApiToken {
  id: string;
  token: string;
  hash: string;
}

export interface ApiTokenRecord {
  id: string;
  name: string;
  hash: string;
  role: Role;
  groups: string[];
  /** ISO; null: never. */
  expiresAt: string | null;
  revokedAt: string | null;
}

/** Implemented by the catalogue. */
export interface ApiTokenStore {
  find(id: string): Promise<ApiTokenRecord | null>;
}

export interface Principal {
  id: string;
  role: Role;
  groups: string[];
  tokenId?: string;
}

/** 256 random bits need no slow hash: they cannot be guessed, so SHA-256 is what the record holds. */
export function newApiToken(): NewApiToken {
  const id = randomBytes(9).toString('base64url').replaceAll('_', 'x').replaceAll('-', 'y');
  const secret = randomBytes(32).toString('base64url');
  const token = `bt_${id}_${secret}`;
  return { id, token, hash: hashApiToken(token) };
}

export function hashApiToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

export function tokenId(token: string): string | null {
  return /^bt_([A-Za-z0-9]{12})_[A-Za-z0-9_-]{43}$/.exec(token)?.[1] ?? null;
}

export type Authentication = { principal: Principal } | { refused: 'malformed' | 'unknown' | 'expired' | 'revoked' };

export class ApiTokenVerifier {
  constructor(
    private readonly store: ApiTokenStore,
    private readonly now: () => number,
  ) {}

  async verify(token: string): Promise<Authentication> {
    const id = tokenId(token);
    if (id === null) return { refused: 'malformed' };
    const record = await this.store.find(id);
    // Compared against something in any case, so that a missing record takes as long as a wrong secret.
    const equal = timingSafeEqual(
      Buffer.from(hashApiToken(token), 'hex'),
      record ? Buffer.from(record.hash, 'hex') : Buffer.alloc(32),
    );
    if (!record || !equal) return { refused: 'unknown' };
    if (record.revokedAt !== null) return { refused: 'revoked' };
    if (record.expiresAt !== null && Date.parse(record.expiresAt) <= this.now()) return { refused: 'expired' };
    return { principal: { id: record.name, role: record.role, groups: record.groups, tokenId: record.id } };
  }
}
