import { z } from 'zod';
import { jsonValue, text } from './field-schemas.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';

export const processOperator: OperatorDescriptor = {
  type: 'process',
  class: 'waiting',
  summary: "Runs another definition as a child and waits for it; its output are the child's `outputs`.",
  fields: z.object({
    definition: text.describe('namespace/name of the definition.'),
    version: z
      .union([z.int().min(1), z.enum(['published', 'latest'])])
      .optional()
      .describe(
        'A number; `published` (default): the newest when this definition was published; `latest`: the newest when the operator starts.',
      ),
    inputs: z.record(z.string(), jsonValue).optional().describe('The inputs of the child.'),
    onParentEnd: z
      .enum(['cancel', 'leave'])
      .optional()
      .describe('What happens to the child when this process ends before it; default cancel.'),
  }),
  secretFields: [],
};
