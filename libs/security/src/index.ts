export * from './addresses/address.guard.js';
export * from './addresses/guarded.lookup.js';
export { mayCall } from './roles/may-call.js';
export * from './secrets/keyring.js';
export * from './secrets/masker.js';
export * from './tokens/api-token.js';
