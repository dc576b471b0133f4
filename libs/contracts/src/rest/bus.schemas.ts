import { z } from 'zod';
import { component, isoTime, nullableTime, pageOf, pageQuery, processId } from '../common.schemas.js';

const count = z.number().int();

export const busRepublishSchema = component(
  'BusRepublish',
  z.object({
    id: z.string(),
    requestedBy: z.string(),
    requestedAt: isoTime,
    finishedAt: nullableTime,
    published: count.describe('Events so far'),
    error: z.string().nullable(),
  }),
);
export type BusRepublish = z.infer<typeof busRepublishSchema>;

export const busStatusSchema = component(
  'BusStatus',
  z.object({
    transport: z.enum(['embedded', 'kafka']).describe('embedded: subscribers read the log itself'),
    toldAt: nullableTime.describe('When a scheduler last told of it; null: none has yet'),
    publisher: z
      .object({
        holder: z.string().describe('The scheduler that publishes'),
        clusterId: z.string().nullable(),
        lagEvents: count.describe('Events of the log that are not acknowledged yet; counted up to 100,000'),
        lagSeconds: z.number().describe('The age of the oldest of them'),
        checkpointAt: nullableTime.describe('When something was acknowledged last'),
        error: z.string().nullable().describe('Why it cannot publish'),
        republished: z
          .object({ reason: z.string(), at: z.string(), since: z.string().nullable() })
          .nullable()
          .describe('When Kafka had lost events, and they were published again by themselves'),
      })
      .nullable()
      .describe('Null over the embedded bus'),
    subscribers: z
      .array(
        z.object({
          name: z.string(),
          reads: z.string().describe('`log`, or the topic'),
          lagEvents: count,
          lagSeconds: z.number().nullable().describe('Null over a topic: it counts records'),
        }),
      )
      .describe('Those that keep a place of their own; subscribers of hints keep none'),
    deadLetters: count,
    republishing: z.array(busRepublishSchema).describe('The last five'),
  }),
);
export type BusStatus = z.infer<typeof busStatusSchema>;

export const deadLetterSchema = component(
  'DeadLetter',
  z.object({
    id: z.string(),
    subscriber: z.string().describe('Who could not handle it'),
    eventId: z.string(),
    type: z.string(),
    subject: z.string(),
    reason: z.string(),
    attempts: count,
    failedAt: isoTime,
    origin: z
      .record(z.string(), z.unknown())
      .describe('Where it stood: a place of the log, or topic, partition, offset'),
    replayRequestedAt: nullableTime.describe('Its subscriber has not taken it yet'),
    replayedAt: nullableTime.describe('It was delivered, and is no dead letter any more'),
    replayError: z.string().nullable().describe('What the last delivery failed with'),
  }),
);
export type DeadLetter = z.infer<typeof deadLetterSchema>;
export const deadLetterPageSchema = component('DeadLetterPage', pageOf(deadLetterSchema));
export type DeadLetterPage = z.infer<typeof deadLetterPageSchema>;
export const deadLetterListQuery = z.strictObject({ subscriber: z.string().max(200).optional(), ...pageQuery });
export const deadLetterParams = z.object({ id: z.uuid() });
export const replayStartedSchema = component('ReplayStarted', z.object({ count }));
export type ReplayStarted = z.infer<typeof replayStartedSchema>;

const sequence = z.int().min(1).optional();
export const republishSchema = component(
  'Republish',
  z
    .strictObject({
      since: isoTime.optional().describe('Events recorded from then on'),
      until: isoTime.optional().describe('Up to then'),
      process: processId.optional().describe('Of this process alone'),
      fromSequence: sequence.describe('With a process: from this event on'),
      toSequence: sequence,
    })
    .refine((range) => range.since !== undefined || range.process !== undefined, {
      path: ['since'],
      message: 'say since when, or of which process',
    })
    .refine(
      (range) => range.process !== undefined || (range.fromSequence === undefined && range.toSequence === undefined),
      { path: ['process'], message: 'a sequence counts within one process: say which' },
    ),
);
export type Republish = z.infer<typeof republishSchema>;
export const republishParams = z.object({ id: z.uuid() });
