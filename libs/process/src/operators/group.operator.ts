import { z } from 'zod';
import { jsonValue } from './field-schemas.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';

/** Its operators are compiled as a scope of their own: see compile/. */
export const groupOperator: OperatorDescriptor = {
  type: 'group',
  class: 'inline',
  summary: 'Holds operators of its own, as the body of a loop or to be undone together; its output are its `outputs`.',
  fields: z.object({
    operators: z.record(z.string(), z.record(z.string(), z.json())).describe('The operators of the group.'),
    outputs: jsonValue.optional().describe('What the group gives to others when it has completed.'),
  }),
  secretFields: [],
};
