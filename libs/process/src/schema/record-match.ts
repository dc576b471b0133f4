import { capturedHolds, isCaptured } from '../expressions/captured-expression.js';
import type { Json } from '../json.types.js';
import { matchesSchema } from './json-schema.js';

/** Whether a record of a topic is what a receiver waits for: `conditions` as its row holds them (HeadChange). */
export function recordFits(conditions: Json, record: { [key: string]: Json }): boolean {
  if (typeof conditions !== 'object' || conditions === null || Array.isArray(conditions)) return true;
  const { match, schema } = conditions;
  if (schema !== undefined && !matchesSchema(schema, record['value'] ?? null)) return false;
  return !isCaptured(match) || capturedHolds(match, { record });
}
