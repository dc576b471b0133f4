export * from './operator.port.js';
export { defineOperator, InvalidOperatorModule } from './registry/operator.module.js';
export {
  loadDescriptors,
  loadOperators,
  type OperatorOptions,
  OperatorRegistry,
  operatorOptionsFrom,
} from './registry/operator.registry.js';
export { parseScriptPermission, type ScriptPermission } from './script/script.fields.js';
export { maskResult } from './shared/mask.result.js';
export { parseJson, storableJson, storableText } from './shared/storable.js';
