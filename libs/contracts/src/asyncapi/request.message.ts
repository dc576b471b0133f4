import type { JsonRecord } from '../common.schemas.js';
import { jsonSchemaOf } from '../events/event-json-schema.js';
import { processRequestSchema } from '../rest/requests.schemas.js';

/** Headers of a record of the request topic. */
export const requestHeaders: JsonRecord = {
  type: 'object',
  properties: {
    ce_specversion: { type: 'string', const: '1.0' },
    ce_id: { type: 'string', minLength: 1, description: 'Of your own: the same id is the same request.' },
    ce_type: { type: 'string', minLength: 1 },
    ce_source: { type: 'string', minLength: 1 },
  },
  required: ['ce_specversion', 'ce_id', 'ce_type', 'ce_source'],
};

export function requestPayload(): JsonRecord {
  return jsonSchemaOf(processRequestSchema);
}
