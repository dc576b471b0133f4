import { matchesSchema } from '../schema/json-schema.js';
import type { BufferedMessage, OperatorState } from '../state/process-state.js';
import { complete } from './lifecycle.decide.js';
import type { Unit } from './plan.js';
import type { Step } from './step.js';

/** The oldest message that fits, also one that came before; `keep` bounds how long before. */
export function takeMessage(step: Step, unit: Unit): void {
  const operator = step.operator(unit);
  const message = step.state.messages.find((candidate) => fits(candidate, unit.path, operator));
  if (message === undefined) return;
  complete(step, unit, message.payload, { messageId: message.messageId });
}

function fits(message: BufferedMessage, path: string, operator: OperatorState): boolean {
  const { waitsFor } = operator;
  if (waitsFor?.kind !== 'message' || message.name !== waitsFor.name) return false;
  if (message.path !== undefined && message.path !== path) return false;
  if (message.key !== undefined && message.key !== waitsFor.key) return false;
  if (waitsFor.keepMs !== undefined && message.receivedAt !== undefined && operator.startedAt !== undefined) {
    if (Date.parse(message.receivedAt) < Date.parse(operator.startedAt) - waitsFor.keepMs) return false;
  }
  return waitsFor.schema === undefined || matchesSchema(waitsFor.schema, message.payload);
}
