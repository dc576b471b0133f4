export type * from './compile/compiled.types.js';
export type * from './decide/decision.types.js';
export type * from './events/process-event.types.js';
export type * from './expressions/expression.types.js';
export { ExpressionError } from './expressions/expression.types.js';
export type * from './head/head-change.types.js';
export type * from './json.types.js';
export type * from './operators/operator-descriptor.types.js';
export * from './audit/effect.audit.js';
