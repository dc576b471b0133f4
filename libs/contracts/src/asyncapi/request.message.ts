import { requestEventType, requestTokenExtension } from '../cloud-events/request-event.js';
import type { JsonRecord } from '../common.schemas.js';
import { jsonSchemaOf } from '../events/event-json-schema.js';
import { processRequestSchema } from '../rest/requests.schemas.js';

/** Headers of a record of the request topic. */
export const requestHeaders: JsonRecord = {
  type: 'object',
  properties: {
    ce_specversion: { type: 'string', const: '1.0' },
    ce_id: {
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      description: 'Of your own: the same id and source are the same request.',
    },
    ce_type: { type: 'string', const: requestEventType },
    ce_source: { type: 'string', minLength: 1, maxLength: 1024 },
    [`ce_${requestTokenExtension}`]: {
      type: 'string',
      description: 'An API token, unless the cluster setting bus.requestAccount says as whom the topic asks.',
    },
    traceparent: { type: 'string', description: 'W3C trace context: the process continues the trace.' },
  },
  required: ['ce_specversion', 'ce_id', 'ce_type', 'ce_source'],
};

export function requestPayload(): JsonRecord {
  return jsonSchemaOf(processRequestSchema);
}

export const requestExample: JsonRecord = {
  name: 'Release',
  headers: {
    ce_specversion: '1.0',
    ce_id: 'build-4711',
    ce_source: '/ci/web',
    ce_type: requestEventType,
    [`ce_${requestTokenExtension}`]: 'bt_…',
  },
  payload: { definition: 'web/release', inputs: { version: 'v1' }, labels: { team: 'web' } },
};
