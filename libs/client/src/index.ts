export * from './baton-client.js';
export * from './client.errors.js';
export type { TransportOptions } from './http-transport.js';
