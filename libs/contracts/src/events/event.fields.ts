import { z } from 'zod';
import { json as anyJson, jsonRecord } from '../common.schemas.js';

/**
 * What the schemas of events are made of. The shapes are those of ProcessEventData in libs/process: a spec lets the
 * compiler compare the two in both directions. Objects stay open: within `.v1` fields are added.
 */

/** Says, in the JSON Schema, that values or variants may be added within `.v1`. */
export const mayGrow = 'x-may-grow';

export const text = (description: string) => z.string().describe(description);
export const count = (description: string, minimum = 1) => z.int().min(minimum).describe(description);
export const time = (description: string) => z.string().meta({ format: 'date-time', description });
export const json = (description: string) => anyJson.describe(description);
export const texts = (description: string) => z.array(z.string()).describe(description);
export const flag = (description: string) => z.boolean().describe(description);

/** A choice that may get more values: known ones are named, an unknown one is no fault. */
export const growing = <const T extends readonly [string, ...string[]]>(values: T, description: string) =>
  z.enum(values).meta({ [mayGrow]: true, description });

/** Named in the JSON Schemas, so that each stands there once. */
const named = <T extends z.ZodType>(id: string, description: string, schema: T): T => schema.meta({ id, description });

export const jsonObject = (description: string) => jsonRecord.describe(description);

export const executor = text('The incarnation of the executor that drives the process');
export const path = text('Where the operator stands: `deploy`, `servers[web-1]/restart`, `deploy/compensate`');
export const attempt = count('Counts the starts of this operator, from 1');
export const reason = text('Why, in words for people');
export const messageId = text('The message that the operator took');
export const startedAt = time('When its effect began');
export const endedAt = time('When its effect ended');
export const ended = z.enum(['completed', 'failed', 'cancelled']);

export const actor = named(
  'Actor',
  'Who did it.',
  z.object({
    id: text('A user, a service account, or a part of Baton'),
    groups: texts('The groups it had then').optional(),
  }),
);

export const operatorError = named(
  'OperatorError',
  'What went wrong.',
  z.object({
    code: text('For programs: `connection`, `timeout`, `exit-status`, `expect`, `exhausted`, `expression`, …'),
    message: text('For people'),
    details: json('More about it, as its operator gives it').optional(),
  }),
);

/** Rows beside the log that an event closes: Baton's own business. */
export const held = z
  .array(growing(['task', 'incident', 'receiver', 'job'], 'A kind of row beside the log'))
  .describe("Baton's own bookkeeping; it means nothing to consumers");

export const incidentAction = growing(['rerun', 'skip', 'fail'], 'What a person may decide');
export const onParentEnd = growing(['cancel', 'leave'], 'What becomes of the child when its parent ends');

const timerKinds = [
  'delay',
  'retry',
  'repeat',
  'timeout',
  'deadline',
  'remind',
  'escalate',
  'warn',
  'processTimeout',
] as const;
export const timerKind = growing(timerKinds, 'Which durable wait');
export const timers = named(
  'Timers',
  'When which durable wait is due. More kinds may be added.',
  z.object(
    Object.fromEntries(timerKinds.map((kind) => [kind, time(`When \`${kind}\` is due`).optional()])) as Record<
      (typeof timerKinds)[number],
      z.ZodOptional<z.ZodString>
    >,
  ),
);

const due = time('When it gives up').nullable().optional();
export const waitsFor = named(
  'WaitsFor',
  'What a waiting operator waits for. More kinds may be added.',
  z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('timer'), dueAt: time('When the wait is over') }),
      z.object({ kind: z.literal('task'), taskId: text('The user task'), dueAt: due }),
      z.object({
        kind: z.literal('child'),
        child: text('The id of the child process'),
        onParentEnd: onParentEnd.optional(),
      }),
      z.object({
        kind: z.literal('message'),
        name: text('The name of the message'),
        key: text('The key that it must have').optional(),
        keepMs: z.number().describe('How long a message that comes too early is kept').optional(),
        schema: json('JSON Schema of the payload').optional(),
        dueAt: due,
      }),
      z.object({
        kind: z.literal('topic'),
        topic: text('The topic that is listened to'),
        key: text('The key that the record must have').optional(),
        keepMs: z.number().describe('How long before its start a record may have come').optional(),
        match: z
          .object({ expression: text('CEL'), scope: jsonObject('The values that it reads beside the record') })
          .describe('What must hold of the record')
          .optional(),
        schema: json('JSON Schema of the data').optional(),
        dueAt: due,
      }),
      z.object({
        kind: z.literal('command'),
        commandId: text('The command that an agent executes'),
        agent: json('Which agent').optional(),
      }),
      z.object({
        kind: z.literal('job'),
        queue: text("The workers' queue"),
        jobId: text('The job'),
        input: json('What the worker gets').optional(),
      }),
      z.object({ kind: z.literal('callback'), callbackId: text('The callback') }),
      z.object({
        kind: z.literal('lock'),
        name: text('The lock'),
        limit: z.number().describe('How many may hold it at once'),
      }),
      z.object({ kind: z.literal('window'), name: text('The maintenance window') }),
    ])
    .meta({ [mayGrow]: true }),
);
