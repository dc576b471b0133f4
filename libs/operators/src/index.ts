export * from './operator.port.js';
