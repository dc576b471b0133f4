export * from './operator.port.js';
export type { PublishTargets } from './publish/publish.operator.js';

export {
  loadDescriptors,
  loadOperators,
  type OperatorOptions,
  OperatorRegistry,
  operatorOptionsFrom,
} from './registry/operator.registry.js';
export type { ScriptPermission } from './script/script.fields.js';
export { maskResult } from './shared/mask.result.js';
