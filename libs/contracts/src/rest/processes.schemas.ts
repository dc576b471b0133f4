import { z } from 'zod';
import {
  agedPageOf,
  component,
  isoTime,
  json,
  jsonRecord,
  nullableTime,
  pageOf,
  pageQuery,
  processId,
  reason,
} from '../common.schemas.js';

export const processStatuses = [
  'requested',
  'queued',
  'running',
  'waiting',
  'paused',
  'incident',
  'compensating',
  'completed',
  'failed',
  'cancelled',
] as const;
export const processStatusSchema = component('ProcessStatus', z.enum(processStatuses));
export type ProcessStatusName = (typeof processStatuses)[number];

export const operatorStatuses = [
  'pending',
  'running',
  'waiting',
  'retrying',
  'completed',
  'failed',
  'skipped',
  'not-taken',
  'cancelled',
  'compensated',
  'unknown',
] as const;
export const operatorStatusSchema = component('OperatorStatus', z.enum(operatorStatuses));

const error = z.object({ code: z.string(), message: z.string(), details: json.optional() });

export const processItemSchema = component(
  'ProcessItem',
  z.object({
    id: z.string(),
    definition: z.string(),
    version: z.number().int(),
    title: z.string().nullable(),
    status: processStatusSchema,
    priority: z.number().int(),
    environment: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    requester: z.string().nullable(),
    requestedAt: isoTime,
    startedAt: nullableTime,
    endedAt: nullableTime,
  }),
);
export type ProcessItem = z.infer<typeof processItemSchema>;
export const processPageSchema = component('ProcessPage', agedPageOf(processItemSchema));
export type ProcessPage = z.infer<typeof processPageSchema>;

export const operatorViewSchema = component(
  'Operator',
  z.object({
    path: z.string(),
    type: z.string(),
    status: operatorStatusSchema,
    attempt: z.number().int(),
    outcome: z.string().optional(),
    startedAt: nullableTime,
    endedAt: nullableTime,
    output: json.optional(),
    error: error.optional(),
    waitsFor: json.optional(),
    executor: z.string().optional(),
  }),
);
export type OperatorItem = z.infer<typeof operatorViewSchema>;

export const processSchema = component(
  'Process',
  processItemSchema.extend({
    inputs: jsonRecord,
    outputs: json,
    owner: z.string().nullable().describe('The executor that drives it'),
    error: error.optional(),
    parent: z.string().nullable(),
    sequence: z.number().int().describe('The last event folded'),
    operators: z.array(operatorViewSchema),
  }),
);
export type Process = z.infer<typeof processSchema>;

export const eventSchema = component(
  'ProcessEvent',
  z.object({
    sequence: z.number().int(),
    id: z.string(),
    type: z.string(),
    time: isoTime,
    data: json,
    metadata: jsonRecord,
  }),
);
export type ProcessEventItem = z.infer<typeof eventSchema>;
export const eventPageSchema = component('ProcessEventPage', pageOf(eventSchema));
export type ProcessEventPage = z.infer<typeof eventPageSchema>;

export const whySchema = component(
  'Why',
  z.object({ summary: z.string(), because: z.array(z.string()), status: processStatusSchema }),
);
export type Why = z.infer<typeof whySchema>;

export const processParams = z.strictObject({ id: processId });
export const processListQuery = z.strictObject({
  status: z
    .string()
    .optional()
    .describe('One or several, separated by commas')
    .refine(
      (value) => !value || value.split(',').every((status) => (processStatuses as readonly string[]).includes(status)),
      { error: `one or several of ${processStatuses.join(', ')}, separated by commas` },
    ),
  definition: z.string().max(300).optional(),
  label: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('NAME=VALUE; several must all hold'),
  ...pageQuery,
});
export const eventListQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0).describe('A sequence number'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export const streamQuery = z.strictObject({ after: z.coerce.number().int().min(0).optional() });
export const commandBodySchema = component('Command', z.strictObject({ reason: reason.optional() }));
export type CommandBody = z.input<typeof commandBodySchema>;
export const commandAcceptedSchema = component(
  'CommandAccepted',
  z.object({ id: z.string(), status: processStatusSchema }),
);
export type CommandAccepted = z.infer<typeof commandAcceptedSchema>;
