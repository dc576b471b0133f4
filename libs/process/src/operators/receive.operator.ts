import { z } from 'zod';
import type { Json } from '../json.types.js';
import { duration, isTemplate, jsonSchema, text } from './field-schemas.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';
import { topicFault } from './topic-name.js';

export const receiveOperator: OperatorDescriptor = {
  type: 'receive',
  class: 'waiting',
  summary: 'Waits for a message, or for a record of a Kafka topic; its output is the payload, of a record its value.',
  fields: z.object({
    message: text.optional().describe('The name of the message.'),
    topic: text.optional().describe('A Kafka topic, instead of a message; written out, without `${{ }}`.'),
    key: text
      .optional()
      .describe(
        'A correlation key: the message may then be sent to the key instead of to the process. With `topic`: only records of this key.',
      ),
    match: text
      .optional()
      .describe(
        'With `topic`: an expression over `record` (`key`, `value`, `headers`, `topic`, `partition`, `offset`, `timestamp`); records for which it does not hold are left to others.',
      ),
    schema: jsonSchema
      .optional()
      .describe('A JSON Schema of the payload; others are refused, of a topic left to others.'),
    keep: duration.optional().describe('Also take a message that came up to so long before.'),
  }),
  secretFields: [],
  schemaFields: ['schema'],
  expressionFields: { match: ['record'] },
  check: checkFields,
};

function checkFields(fields: Record<string, Json>): { field: string; message: string; remedy: string }[] {
  const { message, topic, match } = fields;
  if (message === undefined && topic === undefined)
    return [
      {
        field: 'message',
        message: 'There is neither `message` nor `topic`.',
        remedy: 'Name what it waits for: `message: NAME`, or `topic: NAME`.',
      },
    ];
  if (message !== undefined && topic !== undefined)
    return [
      {
        field: 'topic',
        message: '`message` and `topic` cannot stand together.',
        remedy: 'Wait for both with two operators; `join: any` takes the first.',
      },
    ];
  if (topic === undefined)
    return match === undefined
      ? []
      : [{ field: 'match', message: '`match` belongs to `topic`.', remedy: 'Remove it, or wait for a `topic`.' }];
  if (isTemplate(topic))
    return [
      {
        field: 'topic',
        message: 'The topic is known only when the process runs.',
        remedy:
          'Write its name out: a topic is read from the moment when the definition is published, so that nothing is missed.',
      },
    ];
  return topicFault(topic);
}
