import { restOperations, roles } from '@baton/contracts';
import { describe, expect, it } from 'vitest';
import { mayCall } from '../roles/may-call.js';
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

describe('the four roles', () => {
  it('refuse a call that is not in the table to everybody', () => {
    for (const role of [null, ...roles]) expect(mayCall(role, null)).toBe(false);
  });

  it('give each what the ones before it have, over every operation, and nothing without a token', () => {
    for (const { role: need } of Object.values(restOperations)) {
      const allowed = roles.filter((role) => mayCall(role, need));
      expect(allowed).toEqual(need === 'public' ? [...roles] : roles.slice(roles.indexOf(need)));
      expect(mayCall(null, need)).toBe(need === 'public');
    }
  });

  it('keep environments, tokens and settings to admins, publishing to authors, and nothing that writes to viewers', () => {
    const needs = (method: string, path: string) =>
      Object.values(restOperations).find(
        (operation) => operation.method.toUpperCase() === method && operation.path === path,
      )?.role;
    expect(needs('PUT', '/v1/environments/{name}')).toBe('admin');
    expect(needs('POST', '/v1/tokens')).toBe('admin');
    expect(needs('PATCH', '/v1/settings')).toBe('admin');
    expect(needs('POST', '/v1/definitions')).toBe('author');
    const writes = Object.values(restOperations).filter((operation) => operation.method.toUpperCase() !== 'GET');
    expect(writes.filter((operation) => mayCall('viewer', operation.role))).toEqual([]);
  });
});
