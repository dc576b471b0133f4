export * from './addresses/address.guard.js';
export * from './addresses/guarded.lookup.js';
export * from './roles/permissions.js';
export * from './secrets/keyring.js';
export * from './secrets/masker.js';
export * from './secrets/sealed.parts.js';
export * from './tokens/api-token.js';
