import { z } from 'zod';
import { component, definitionName, isoTime, jsonRecord, labels } from '../common.schemas.js';
import { problemSchema } from '../problems/problem.schemas.js';

export const processRequestSchema = component(
  'ProcessRequest',
  z.strictObject({
    definition: definitionName,
    version: z.number().int().min(1).optional().describe('The newest when left out'),
    environment: z.string().min(1).max(200).optional(),
    inputs: jsonRecord.default({}),
    priority: z.number().int().min(0).max(9).default(5).describe('Higher first'),
    startAt: isoTime.optional().describe('Not before this time'),
    labels: labels.default({}),
  }),
);
export type ProcessRequest = z.input<typeof processRequestSchema>;
export type CheckedProcessRequest = z.output<typeof processRequestSchema>;

/** Items are checked one by one, so that one bad item does not refuse the others. */
export const processRequestsSchema = component(
  'ProcessRequests',
  z.array(z.unknown()).min(1).max(1000).describe('Up to 1,000 process requests; item i has the key KEY/i'),
);

export const requestAcceptedSchema = component(
  'RequestAccepted',
  z.object({ id: z.string(), status: z.literal('requested') }),
);
export type RequestAccepted = z.infer<typeof requestAcceptedSchema>;

export const requestResultSchema = component(
  'RequestResult',
  z.union([z.object({ status: z.literal(202), id: z.string() }), problemSchema]),
);
export type RequestResult = z.infer<typeof requestResultSchema>;
export const requestResultsSchema = component('RequestResults', z.array(requestResultSchema));

export const idempotencyKey = z
  .string()
  .min(1)
  .max(255)
  .describe('Kept for seven days: the same key and body get the same answer');
export const creationHeaders = z.object({
  'idempotency-key': idempotencyKey.optional(),
  traceparent: z.string().optional().describe('W3C trace context, continued by the process'),
});
