import { describe, expect, it } from 'vitest';
import { mayCall, needed, permissions, roles } from '../roles/permissions.js';
import { type ApiTokenRecord, ApiTokenVerifier, hashApiToken, newApiToken, tokenId } from './api-token.js';

describe('API tokens', () => {
  const made = newApiToken();
  const record: ApiTokenRecord = {
    id: made.id,
    name: 'ann',
    hash: made.hash,
    role: 'operator',
    groups: ['dba'],
    expiresAt: null,
    revokedAt: null,
  };
  const verifier = (change: Partial<ApiTokenRecord> = {}, now = 1_000) =>
    new ApiTokenVerifier({ find: async (id) => (id === record.id ? { ...record, ...change } : null) }, () => now);

  it('are known by their hash alone', async () => {
    expect(made.hash).toBe(hashApiToken(made.token));
    expect(made.hash).not.toContain(made.token);
    expect(await verifier().verify(made.token)).toEqual({
      principal: { id: 'ann', role: 'operator', groups: ['dba'], tokenId: made.id },
    });
  });

  it('are refused when one character differs, when unknown, expired or revoked', async () => {
    const wrong = made.token.slice(0, -1) + (made.token.endsWith('A') ? 'B' : 'A');
    expect(await verifier().verify(wrong)).toEqual({ refused: 'unknown' });
    expect(await verifier().verify(newApiToken().token)).toEqual({ refused: 'unknown' });
    expect(await verifier().verify('banana')).toEqual({ refused: 'malformed' });
    expect(await verifier({ expiresAt: new Date(1_000).toISOString() }).verify(made.token)).toEqual({
      refused: 'expired',
    });
    expect(await verifier({ expiresAt: new Date(1_001).toISOString() }).verify(made.token)).toHaveProperty('principal');
    expect(await verifier({ revokedAt: new Date(1).toISOString() }).verify(made.token)).toEqual({ refused: 'revoked' });
  });

  it('are always well-formed and unlike each other', () => {
    const made = Array.from({ length: 500 }, () => newApiToken());
    expect(made.every((token) => tokenId(token.token) === token.id)).toBe(true);
    expect(new Set(made.map((token) => token.token)).size).toBe(500);
  });
});

describe('the table of permissions', () => {
  it('refuses a route that is not in it to everybody', () => {
    for (const role of roles) expect(mayCall(role, needed('POST', '/v1/forgotten'))).toBe(false);
    for (const role of roles) expect(mayCall(role, needed('GET', 'toString'))).toBe(false);
  });

  it('gives each role what the ones before it have, and nothing without a token', () => {
    for (const [route, need] of Object.entries(permissions)) {
      const [method = '', path = ''] = route.split(' ');
      const allowed = roles.filter((role) => mayCall(role, needed(method, path)));
      expect(allowed).toEqual(need === 'public' ? [...roles] : roles.slice(roles.indexOf(need)));
      expect(mayCall(null, needed(method, path))).toBe(need === 'public');
    }
  });

  it('keeps secrets, tokens and settings to admins, and publishing to authors', () => {
    expect(needed('PUT', '/v1/environments/:name')).toBe('admin');
    expect(needed('POST', '/v1/tokens')).toBe('admin');
    expect(needed('PATCH', '/v1/settings')).toBe('admin');
    expect(needed('POST', '/v1/definitions')).toBe('author');
    expect(needed('POST', '/v1/requests')).toBe('operator');
  });
});
