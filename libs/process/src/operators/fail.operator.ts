import { z } from 'zod';
import { text } from './field-schemas.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';

export const failOperator: OperatorDescriptor = {
  type: 'fail',
  class: 'inline',
  summary: 'Fails, with a message of your own.',
  fields: z.object({
    message: text.describe('What the failure says.'),
    code: text.optional().describe('The error code, for `retry.on` and expressions; default: failed.'),
  }),
  secretFields: [],
};
