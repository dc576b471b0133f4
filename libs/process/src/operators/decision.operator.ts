import { z } from 'zod';
import type { OperatorDescriptor } from './operator-descriptor.types.js';

export const decisionOperator: OperatorDescriptor = {
  type: 'decision',
  class: 'inline',
  summary: 'Chooses the way on by its `outcomes`; it has no output.',
  fields: z.object({}),
  secretFields: [],
};
