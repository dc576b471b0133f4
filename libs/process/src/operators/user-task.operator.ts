import { z } from 'zod';
import type { Json } from '../json.types.js';
import { duration, isTemplate, jsonSchema, text } from './field-schemas.js';
import type { OperatorDescriptor } from './operator-descriptor.types.js';

const people = z.union([z.array(text), text]);

const assign = z.strictObject({
  users: people.optional().describe('People by id.'),
  roles: people.optional().describe('Groups of people.'),
  notBy: z.array(text).optional().describe('Who may not answer: `requester`, or `operators.NAME.answeredBy`.'),
});

const escalate = z.strictObject({
  after: duration.describe('How long nobody has answered.'),
  assign: assign.omit({ notBy: true }).describe('Who may answer then, too.'),
});

const answeredBy = /^operators\.([\w-]+)\.answeredBy$/;

function notByOf(given: Json | undefined): string[] {
  const notBy = typeof given === 'object' && given !== null && !Array.isArray(given) ? given['notBy'] : undefined;
  return Array.isArray(notBy) ? notBy.map(String) : [];
}

export const userTaskOperator: OperatorDescriptor = {
  type: 'user-task',
  class: 'waiting',
  summary: 'Asks people; its output is the answer, with `answeredBy` and `answeredAt` beside it.',
  fields: z.object({
    title: text.optional().describe('The heading of the task; default: the name of the operator.'),
    instructions: text.optional().describe('What to do or to decide.'),
    assign: assign.optional().describe('Who may answer; everybody if it is left out.'),
    form: jsonSchema.optional().describe('A JSON Schema of the answer.'),
    needs: z.int().min(1).max(100).optional().describe('How many different people must answer; default 1.'),
    remind: duration.optional().describe('Remind again and again after this time.'),
    escalate: escalate.optional().describe('Who else may answer when nobody has.'),
  }),
  secretFields: [],
  schemaFields: ['form'],
  operatorNames: ({ assign: given }) =>
    notByOf(given).flatMap((entry, index) => {
      const operator = answeredBy.exec(entry)?.[1];
      return operator === undefined ? [] : [{ field: `assign.notBy[${index}]`, operator }];
    }),
  check({ assign: given }) {
    return notByOf(given).flatMap((entry, index) =>
      entry === 'requester' || answeredBy.test(entry) || isTemplate(entry)
        ? []
        : [
            {
              field: `assign.notBy[${index}]`,
              message: `"${entry}" does not say who.`,
              remedy: 'Write `requester` or `operators.NAME.answeredBy`.',
            },
          ],
    );
  },
};
