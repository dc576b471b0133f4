import { z } from 'zod';
import type { Json } from '../json.types.js';
import { isTemplate, jsonValue, text, textMap } from './field-schemas.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';
import { topicFault } from './topic-name.js';

/** Set by Baton on every record: they say from where it comes, and a definition cannot say otherwise. */
const ownHeaders: ReadonlySet<string> = new Set([
  'idempotency-key',
  'baton-process',
  'baton-path',
  'baton-attempt',
  'traceparent',
]);

export const publishOperator: OperatorDescriptor = {
  type: 'publish',
  class: 'effect',
  summary: 'Writes a record to a Kafka topic; its output is `{ partition, offset }`.',
  fields: z.object({
    topic: text.describe('The name of the topic, as it is: no prefix is put before it.'),
    key: text
      .optional()
      .describe('The key of the record: records of one key stay in order. Without it: the id of the process.'),
    value: jsonValue.optional().describe('YAML becomes JSON, text stays text; none or null: a record without a value.'),
    headers: textMap.optional().describe('Headers of the record, beside those that Baton sets.'),
    connection: text
      .optional()
      .describe("One of the environment's connections, of type kafka; without it the Kafka that Baton itself uses."),
  }),
  secretFields: ['headers.*'],
  check: ({ topic, headers }) => [...topicFault(topic), ...headerFaults(headers)],
};

function headerFaults(headers: Json | undefined) {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return [];
  return Object.keys(headers).flatMap((name) =>
    !isTemplate(name) && ownHeaders.has(name.toLowerCase())
      ? [
          {
            field: `headers.${name}`,
            message: `The header "${name}" is set by Baton itself.`,
            remedy: 'Leave it out, or give it another name.',
          },
        ]
      : [],
  );
}
