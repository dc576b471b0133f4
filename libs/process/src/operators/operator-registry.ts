import { decisionOperator } from './decision.operator.js';
import { delayOperator } from './delay.operator.js';
import { failOperator } from './fail.operator.js';
import { groupOperator } from './group.operator.js';
import { httpOperator } from './http.operator.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';
import { processOperator } from './process.operator.js';
import { publishOperator } from './publish.operator.js';
import { receiveOperator } from './receive.operator.js';
import { scriptOperator } from './script.operator.js';
import { setOperator } from './set.operator.js';
import { sqlOperator } from './sql.operator.js';
import { userTaskOperator } from './user-task.operator.js';

/** Every operator type that Baton brings. A new one is its file and one line here. */
export const builtInOperators: readonly OperatorDescriptor[] = [
  setOperator,
  decisionOperator,
  groupOperator,
  failOperator,
  httpOperator,
  sqlOperator,
  scriptOperator,
  publishOperator,
  delayOperator,
  userTaskOperator,
  processOperator,
  receiveOperator,
];

/** The types that a definition may use, by name; those of the user's own beside ours. Throws on a name given twice. */
export function operatorRegistry(own: readonly OperatorDescriptor[] = []): ReadonlyMap<string, OperatorDescriptor> {
  const registry = new Map<string, OperatorDescriptor>();
  for (const descriptor of [...builtInOperators, ...own]) {
    if (registry.has(descriptor.type)) throw new Error(`The operator type "${descriptor.type}" is given twice.`);
    registry.set(descriptor.type, descriptor);
  }
  return registry;
}
