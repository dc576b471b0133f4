import { z } from 'zod';
import { jsonValue } from './field-schemas.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';

export const setOperator: OperatorDescriptor = {
  type: 'set',
  class: 'inline',
  summary: 'Calculates a value; its output is the value.',
  fields: z.object({ value: jsonValue.describe('The value.') }),
  secretFields: [],
};
