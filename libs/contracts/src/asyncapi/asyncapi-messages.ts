import { cloudEventType } from '../cloud-events/process-events.js';
import { dataReferenceSchema } from '../cloud-events/topics.js';
import type { JsonRecord, JsonValue } from '../common.schemas.js';
import { jsonSchemaOf } from '../events/event-json-schema.js';
import { publicEvents } from '../events/public-events.js';
import { deadLetterHeaderSchema, eventHeaders } from './kafka-headers.js';
import { requestExample, requestHeaders, requestPayload } from './request.message.js';

/** Filled while messages are described: every named schema stands once. */
export class AsyncApiSchemas {
  readonly all: JsonRecord = {};

  /** Takes a schema in, its `$defs` beside it, and gives a reference to it. */
  add(name: string, schema: JsonRecord): JsonRecord {
    const { $defs, ...rest } = schema;
    for (const [id, part] of Object.entries(($defs as JsonRecord | undefined) ?? {})) this.all[id] ??= moved(part);
    this.all[name] = moved(rest);
    return { $ref: `#/components/schemas/${name}` };
  }
}

function moved(node: JsonValue): JsonValue {
  if (Array.isArray(node)) return node.map(moved);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', '#/components/schemas/') : moved(value),
    ]),
  );
}

const keyed = (description: string): JsonRecord => ({
  kafka: { key: { type: 'string', description }, bindingVersion: '0.5.0' },
});

/** What every event of Baton's has: AsyncAPI merges a trait into its message. */
export const messageTraits: JsonRecord = {
  event: { contentType: 'application/json', bindings: keyed('The subject: the process, or the node.') },
};
const trait = [{ $ref: '#/components/messageTraits/event' }];

/** Every message, by the event's name; `DataReference`, `ProcessRequest` and `DeadLetter` beside them. */
export function describeMessages(schemas: AsyncApiSchemas): JsonRecord {
  const headers = schemas.add('EventHeaders', eventHeaders);
  const messages: JsonRecord = {};
  for (const [name, event] of Object.entries(publicEvents)) {
    const type = cloudEventType(name);
    messages[name] = {
      name: type,
      title: name,
      summary: event.meaning,
      traits: trait,
      headers: {
        allOf: [headers, { properties: { ce_type: { const: type }, ce_eventtype: { const: name } } }],
        not: { required: ['ce_dataref'] },
      },
      payload: schemas.add(name, { ...jsonSchemaOf(event.schema), description: event.meaning }),
      examples: [{ name, headers: exampleHeaders(name, event.stream), payload: event.example }],
    };
  }
  messages['DataReference'] = {
    name: 'data reference',
    title: 'DataReference',
    summary: 'An event of any type whose data is too long for a record: its data says where to get it.',
    traits: trait,
    headers: {
      allOf: [
        headers,
        {
          properties: { ce_dataref: { type: 'string', description: 'Where its data is: as in the data.' } },
          required: ['ce_dataref'],
        },
      ],
    },
    payload: schemas.add('DataReference', jsonSchemaOf(dataReferenceSchema)),
  };
  messages['ProcessRequest'] = {
    name: 'process request',
    title: 'ProcessRequest',
    summary: 'Asks for a process, once, however often it is delivered.',
    contentType: 'application/json',
    headers: schemas.add('RequestHeaders', requestHeaders),
    payload: schemas.add('ProcessRequestData', requestPayload()),
    bindings: keyed("The caller's own: requests of one key stay in order."),
    examples: [requestExample],
  };
  messages['DeadLetter'] = {
    name: 'dead letter',
    title: 'DeadLetter',
    summary: 'What could not be handled: key, value and headers are those of the original.',
    headers: schemas.add('DeadLetterHeaders', deadLetterHeaderSchema),
    payload: schemas.add('DeadLetterValue', { description: 'As it was sent; it may be no JSON at all.' }),
    bindings: keyed("The original's."),
  };
  return messages;
}

function exampleHeaders(name: string, stream: 'process' | 'cluster'): JsonRecord {
  const subject =
    stream === 'process' ? 'c1-0199c2f0-7c80-8e33-9f20-4b2e8c3d9066' : 'executor-0199c2f0-5a5e-7c11-9d0e-2f0c6a1b7e44';
  return {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: '0199c2f0-1a2b-7c3d-8e4f-5a6b7c8d9e0f',
    ce_type: cloudEventType(name),
    ce_source: '/baton/c1/1',
    ce_subject: subject,
    ce_partitionkey: subject,
    ce_time: '2026-11-23T10:00:00.000Z',
    ce_sequence: name === 'ProcessRequested' || name === 'ExecutorJoined' ? '0000000001' : '0000000002',
    ce_eventtype: name,
  };
}
