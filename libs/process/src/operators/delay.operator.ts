import { z } from 'zod';
import { duration, text } from './field-schemas.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';

export const delayOperator: OperatorDescriptor = {
  type: 'delay',
  class: 'waiting',
  summary: 'Waits, by the clock of the database; its output is `{ firedAt }`.',
  fields: z.object({
    for: duration.optional().describe('How long.'),
    until: text.optional().describe('Until when: an ISO 8601 time with its zone.'),
  }),
  secretFields: [],
  check(fields) {
    if ((fields['for'] === undefined) === (fields['until'] === undefined))
      return [
        {
          field: fields['for'] === undefined ? 'for' : 'until',
          message:
            fields['for'] === undefined ? 'It does not say how long.' : '`for` and `until` cannot stand together.',
          remedy: 'Write either `for: 15m` or `until: "2026-12-01T08:00:00Z"`.',
        },
      ];
    const until = fields['until'];
    if (typeof until === 'string' && !until.includes('${{') && !isTime(until))
      return [
        {
          field: 'until',
          message: `"${until}" is not a time.`,
          remedy: 'Write an ISO 8601 time with its zone, such as 2026-12-01T08:00:00Z.',
        },
      ];
    return [];
  },
};

function isTime(value: string): boolean {
  return (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/.test(value) && !Number.isNaN(Date.parse(value))
  );
}
