import type { BusMessage, BusProducer } from '@baton/bus';
import type { EffectResult, Json } from '@baton/process';
import { z } from 'zod';
import { type EffectContext, NotBegun } from '../operator.port.js';
import { abortOf, checkFields, failed, messageOf, notBegun, unknown } from '../shared/results.js';

/** Where records go: without a URL to the Kafka of Baton itself, which may have none (null). */
export interface PublishTargets {
  producer(url?: string): Pick<BusProducer, 'send'> | null;
}

const fields = z.strictObject({
  topic: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'expected the name of a topic: letters, digits, ".", "_" and "-", at most 249'),
  key: z.union([z.string(), z.number(), z.boolean()]).nullish(),
  value: z.custom<Json>(() => true).optional(),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  connection: z.string().min(1).optional(),
});
type PublishFields = z.infer<typeof fields>;

const longestMs = 30_000;

/**
 * Job: one record to one topic, and the honest word about what became of it. Boundary: it neither retries nor judges;
 * the producer repeats under the record's number, which the broker drops when it has it.
 *
 * 1. All replicas in sync have it: completed, with where it stands.
 * 2. No byte of it can have left, or the broker refused it: a known failure.
 * 3. It may have been written and nobody said so: unknown, never a failure.
 * 4. begin() is called in the step that hands it to the broker; without its leave nothing is sent.
 * 5. The same key for all executions of an operator goes along, so that a consumer can drop repetitions.
 */
export async function runPublish(context: EffectContext, targets: PublishTargets): Promise<EffectResult> {
  const checked = checkFields(fields, context.fields);
  if ('failure' in checked) return checked.failure;
  const { topic } = checked.fields;
  const producer = await producerOf(checked.fields, context, targets);
  if ('failure' in producer) return producer.failure;
  const timer = context.timeout === undefined ? undefined : AbortSignal.timeout(context.timeout);
  const signal = timer ? AbortSignal.any([context.signal, timer]) : context.signal;
  try {
    const [place] = await producer.send(topic, [messageOfRecord(checked.fields, context)], {
      timeoutMs: context.timeout ?? longestMs,
      signal,
      begin: () => context.begin(),
    });
    return { status: 'completed', output: placeOf(place) };
  } catch (error) {
    return endedBy(error, signal, topic);
  }
}

async function producerOf({ connection }: PublishFields, context: EffectContext, targets: PublishTargets) {
  if (connection === undefined) {
    const own = targets.producer();
    if (own !== null) return own;
    const message =
      'no Kafka is configured: set KAFKA_BROKERS and BATON_BUS=kafka, start with --kafka, or name a `connection` of type kafka';
    return { failure: failed('no-kafka', message) };
  }
  const { type, url } = await context.connection(connection);
  if (type !== 'kafka')
    return {
      failure: failed('wrong-connection', `the connection ${connection} is of type ${type}; publish needs kafka`),
    };
  try {
    const target = targets.producer(url);
    if (target !== null) return target;
    return { failure: failed('no-kafka', `the connection ${connection} leads to no Kafka`) };
  } catch (error) {
    return { failure: failed('wrong-connection', `${connection}: ${messageOf(error)}`) };
  }
}

function messageOfRecord({ key, value, headers }: PublishFields, context: EffectContext): BusMessage {
  const own = {
    'idempotency-key': context.idempotencyKey,
    'baton-process': context.processId,
    'baton-path': context.path,
    'baton-attempt': String(context.attempt),
    ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }),
  };
  const given = Object.entries(headers ?? {})
    .filter(([name]) => !(name.toLowerCase() in own))
    .map(([name, text]) => [name, String(text)]);
  return {
    key: key === undefined || key === null ? context.processId : String(key),
    value: value === undefined || value === null ? null : typeof value === 'string' ? value : JSON.stringify(value),
    headers: { ...Object.fromEntries(given), ...own },
  };
}

/** The offset as a number, as long as one can hold it. */
function placeOf(place: { partition: number; offset: string } | undefined): Json {
  if (!place) return { partition: null, offset: null };
  const offset = Number(place.offset);
  return { partition: place.partition, offset: Number.isSafeInteger(offset) ? offset : place.offset };
}

const codes = {
  away: 'connection',
  'no-such-topic': 'unknown-topic',
  'not-allowed': 'not-allowed',
  'too-large': 'too-large',
  refused: 'refused',
  aborted: 'aborted',
} as const;

function endedBy(error: unknown, signal: AbortSignal, topic: string): EffectResult {
  if (!isSendFailed(error)) throw error;
  const reason = signal.aborted ? `topic ${topic}: ${abortOf(signal).text}` : error.message;
  if (error.outcome === 'unknown') return unknown(reason);
  if (error.cause instanceof NotBegun) return notBegun(error.cause.message);
  if (!signal.aborted) return failed(codes[error.fault], error.message);
  if (abortOf(signal).code === 'timeout') return failed('timeout', `${reason} before anything was sent`);
  return notBegun(reason);
}

/** By its shape: the operators know of the bus its port alone. */
function isSendFailed(error: unknown): error is Error & { fault: keyof typeof codes; outcome: 'not-sent' | 'unknown' } {
  return error instanceof Error && error.name === 'SendFailed' && 'fault' in error && 'outcome' in error;
}
