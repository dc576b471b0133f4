export * from './bus.ports.js';
export * from './bus-event.js';
export { busEventFrom, cloudEventOf } from './cloud-events/cloud-event.codec.js';
export { EmbeddedTransport, type EmbeddedTransportOptions } from './embedded/embedded-transport.js';
export { PostgresDeadLetters, PostgresInbox } from './inbox/postgres-inbox.js';
export { Lease } from './lease/lease.js';
export { BusContext, BusStrategy } from './nest/bus.strategy.js';
export { OnEvent } from './nest/on-event.decorator.js';
export { systemTimers } from './system-timers.js';
