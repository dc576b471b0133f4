import { z } from 'zod';
import { duration, jsonSchema, jsonValue, text } from '../operators/field-schemas.js';

/** The language, but for the fields of the operator types: those come from their descriptors. */
export const operatorNamePattern = /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/;
const definitionNamePattern = /^([a-z0-9][a-z0-9._-]{0,62}\/)?[a-z0-9][a-z0-9._-]{0,62}$/;

const expression = z
  .union([text, z.boolean()])
  .meta({ id: 'Expression', description: 'A CEL expression, bare, without ${{ }}.' });
const percentOrCount = z.union([
  z.int().min(1),
  z.string().regex(/^(100|[1-9][0-9]?)%$/, { error: 'is neither a count nor a percentage such as 25%' }),
]);
const names = z.union([z.array(text), text]);

const recoveries = ['rerun', 'fail', 'ask', 'verify'] as const;

const backoff = z.union([
  duration,
  z.strictObject({
    initial: duration.optional().describe('The first pause; default 1s.'),
    factor: z.number().min(1).max(100).optional().describe('How much longer each next one is; default 2.'),
    max: duration.optional().describe('The longest pause; default 1m.'),
  }),
]);

const retrySchema = z.strictObject({
  attempts: z.int().min(1).max(1_000).describe('How many attempts there are in all, the first included.'),
  on: z
    .array(text)
    .min(1)
    .optional()
    .describe('Only after failures with these codes; default: after every known failure.'),
  backoff: backoff.optional().describe('The pause between two attempts: a duration, or { initial, factor, max }.'),
  newKey: z.boolean().optional().describe('true: each retry gets an idempotency key of its own.'),
  items: z.enum(['failed', 'all']).optional().describe('forEach: which items run again; default failed.'),
});

const forEachSchema = z.union([
  text,
  z.array(z.json()),
  z.strictObject({
    in: z.union([text, z.array(z.json())]).describe('The list: ${{ }} or items.'),
    as: text.optional().describe('The name of the item in expressions; default item.'),
    key: text.optional().describe('What an item is called in its path; default: its index.'),
    maxParallel: z.int().min(1).optional().describe('How many items run at once at most.'),
    batches: z
      .array(percentOrCount)
      .min(1)
      .optional()
      .describe('Waves: how many items have begun by the end of each, in all.'),
    stopAfterFailures: percentOrCount.optional().describe('How many failed items make the operator fail; default 1.'),
  }),
]);

const repeatSchema = z.strictObject({
  until: expression.optional().describe('Ends when this holds; sees output, previous, iteration.'),
  while: expression.optional().describe('Goes on as long as this holds.'),
  max: z.int().min(1).max(100_000).describe('After so many rounds it fails with `exhausted`.'),
  every: duration.optional().describe('The pause between two rounds; default 1s.'),
});

const auxiliary = z.record(z.string(), z.json());

export const commonFields = z.object({
  type: text.describe('The type of the operator.'),
  description: z.string().optional().describe('For the reader.'),
  after: names.optional().describe('Links: NAME, NAME.OUTCOME, NAME.failed, NAME.skipped, NAME.any.'),
  join: z.enum(['all', 'any', 'settled']).optional().describe('When several links let it run; default all.'),
  cancelRest: z.boolean().optional().describe('join any: the others are cancelled.'),
  when: expression.optional().describe('false: it is skipped, and the way goes on.'),
  outcomes: z
    .record(z.string(), z.union([expression, z.literal('else')]))
    .optional()
    .describe('Names for how it came out, in order.'),
  expect: expression.optional().describe('Turns a completed operator whose output does not satisfy it into a failure.'),
  forEach: forEachSchema.optional().describe('Runs once per item of a list.'),
  repeat: repeatSchema.optional().describe('Runs again and again.'),
  retry: retrySchema.optional().describe('What happens after a known failure.'),
  timeout: duration.optional().describe('How long one attempt may take.'),
  deadline: duration.optional().describe('How long all attempts together may take.'),
  warnAfter: duration.optional().describe('When it takes longer, that is told.'),
  lock: z
    .strictObject({ name: text, limit: z.int().min(1).optional() })
    .optional()
    .describe('Waits its turn over all processes.'),
  window: text.optional().describe("Waits until the calendar's window is open."),
  callback: z.boolean().optional().describe('Waits for a signed one-time URL to be called.'),
  sensitive: z.array(text).min(1).optional().describe('Parts of the output that are encrypted in the log.'),
  recovery: z.enum(recoveries).optional().describe('What happens when nobody knows whether it happened.'),
  verify: auxiliary.optional().describe('An operator that tells whether it happened.'),
  compensate: auxiliary.optional().describe('An operator that undoes it.'),
});

const concurrencySchema = z.strictObject({
  key: text.describe('Processes with the same key take turns.'),
  limit: z.int().min(1).optional().describe('How many run at once; default 1.'),
  onLimit: z
    .enum(['queue', 'reject', 'skip', 'cancelOldest'])
    .optional()
    .describe('What happens to one more; default queue.'),
});

export const definitionSchema = z.strictObject({
  kind: z.literal('Process'),
  name: z
    .string()
    .regex(definitionNamePattern, { error: 'is not a name: lower-case letters, digits, ., _ and -, as namespace/name' })
    .describe('namespace/name; without a namespace: default/…'),
  title: z.string().optional().describe('What a process of this definition is called; ${{ }} is filled in.'),
  description: z.string().optional().describe('For the reader.'),
  labels: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe('For searching.'),
  inputs: z.record(z.string(), jsonSchema).optional().describe('A JSON Schema each; `default` makes it optional.'),
  environments: z.array(text).min(1).optional().describe('Where it may run; the request names one.'),
  concurrency: concurrencySchema.optional().describe('How many processes with one key run at once.'),
  defaults: z
    .strictObject({ recovery: z.enum(recoveries).exclude(['verify']).optional() })
    .optional()
    .describe('What holds for operators that do not say it.'),
  warnAfter: duration.optional().describe('When the process takes longer, that is told.'),
  timeout: duration.optional().describe('The longest the process may take.'),
  onFailure: z
    .enum(['compensate', 'drain', 'hold'])
    .optional()
    .describe('After an unhandled failure; default compensate.'),
  compensateOn: z
    .array(z.enum(['failed', 'cancelled', 'timeout']))
    .optional()
    .describe('Which ends undo what was done; default all three.'),
  triggers: z.json().optional().describe('What starts processes by itself.'),
  operators: z.record(z.string(), auxiliary).describe('The graph.'),
  finally: z.record(z.string(), auxiliary).optional().describe('Runs once on every end.'),
  outputs: jsonValue.optional().describe('What the process gives when it has completed.'),
});
