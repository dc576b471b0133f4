import type { WaitsFor } from '../events/process-event.types.js';
import { isCaptured } from '../expressions/captured-expression.js';
import type { Json } from '../json.types.js';
import { matchesSchema } from '../schema/json-schema.js';
import type { BufferedMessage, OperatorState } from '../state/process-state.js';
import { durationOf } from './duration.js';
import { complete } from './lifecycle.decide.js';
import type { Unit } from './plan.js';
import type { Step } from './step.js';

/** What a `receive` with these fields waits for. */
export function receives(fields: Record<string, Json>, dueAt: string | null): WaitsFor {
  const { message, topic, key, match, schema } = fields;
  const keep = durationOf(fields['keep']);
  const shared = {
    dueAt,
    ...(key === undefined || key === null ? {} : { key: typeof key === 'string' ? key : JSON.stringify(key) }),
    ...(keep === undefined ? {} : { keepMs: keep }),
    ...(schema === undefined ? {} : { schema }),
  };
  if (topic === undefined) return { kind: 'message', name: String(message ?? ''), ...shared };
  return {
    kind: 'topic',
    topic: String(topic),
    ...shared,
    ...(isCaptured(match) ? { match } : {}),
  };
}

/** The oldest message that fits, also one that came before; `keep` bounds how long before. */
export function takeMessage(step: Step, unit: Unit): void {
  const operator = step.operator(unit);
  const message = step.state.messages.find((candidate) => fits(candidate, unit.path, operator));
  if (message === undefined) return;
  complete(step, unit, message.payload, { messageId: message.messageId });
}

function fits(message: BufferedMessage, path: string, operator: OperatorState): boolean {
  const { waitsFor } = operator;
  // Whoever sent it here has seen that it fits: a record is sent to the one receiver that it was found for.
  if (waitsFor?.kind === 'topic') return message.path === path && message.name === waitsFor.topic;
  if (waitsFor?.kind !== 'message' || message.name !== waitsFor.name) return false;
  if (message.path !== undefined && message.path !== path) return false;
  if (message.key !== undefined && message.key !== waitsFor.key) return false;
  if (waitsFor.keepMs !== undefined && message.receivedAt !== undefined && operator.startedAt !== undefined) {
    if (Date.parse(message.receivedAt) < Date.parse(operator.startedAt) - waitsFor.keepMs) return false;
  }
  return waitsFor.schema === undefined || matchesSchema(waitsFor.schema, message.payload);
}
