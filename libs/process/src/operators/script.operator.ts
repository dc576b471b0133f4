import { z } from 'zod';
import { jsonValue, text, textMap } from './field-schemas.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';

export const scriptOperator: OperatorDescriptor = {
  type: 'script',
  class: 'effect',
  summary:
    "Runs a program on the executor's host; its output is `{ exitCode, stdout, stderr }` (the last 4 KiB of each), `json` when parsed.",
  fields: z.object({
    run: z
      .array(z.union([text, z.number(), z.boolean()]))
      .min(1)
      .describe('The program and its arguments; never a shell line.'),
    stdin: jsonValue.optional().describe('What the program reads: text, or a value as JSON.'),
    environment: textMap.optional().describe('Environment variables.'),
    directory: text.optional().describe('The directory it starts in.'),
    parse: z.enum(['json']).optional().describe('json: the whole standard output is parsed into `output.json`.'),
  }),
  secretFields: ['environment.*', 'stdin'],
  defaultExpect: 'output.exitCode == 0',
  verifiedBy: 'output.exitCode == 0',
};
