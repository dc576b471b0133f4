import { z } from 'zod';
import { duration, jsonSchema, text } from './field-schemas.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';

export const receiveOperator: OperatorDescriptor = {
  type: 'receive',
  class: 'waiting',
  summary: 'Waits for a message; its output is the payload.',
  fields: z.object({
    message: text.describe('The name of the message.'),
    key: text
      .optional()
      .describe('A correlation key: the message may then be sent to the key instead of to the process.'),
    schema: jsonSchema.optional().describe('A JSON Schema of the payload; others are refused.'),
    keep: duration.optional().describe('Also take a message that came up to so long before.'),
  }),
  secretFields: [],
  schemaFields: ['schema'],
};
