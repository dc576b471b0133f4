import { checkAgainstSchema } from '../compile/json-schema-check.js';
import type { Json, JsonObject } from '../json.types.js';

export interface SchemaFault {
  path: string;
  message: string;
}

/** No faults: it fits. A schema that cannot be used is a fault too: nothing is accepted unchecked. */
export function schemaFaults(schema: Json, value: Json): SchemaFault[] {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    return [{ path: '', message: 'its schema is not an object, and so nothing can be checked against it' }];
  }
  try {
    return checkAgainstSchema(schema as JsonObject, value);
  } catch (problem) {
    return [
      { path: '', message: `its schema cannot be used: ${problem instanceof Error ? problem.message : problem}` },
    ];
  }
}

export const matchesSchema = (schema: Json, value: Json): boolean => schemaFaults(schema, value).length === 0;
