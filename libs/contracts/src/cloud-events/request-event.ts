import { z } from 'zod';
import { processRequestSchema } from '../rest/requests.schemas.js';

/** The type of a CloudEvent on `baton.request`: somebody's wish for a process. */
export const requestEventType = 'baton.request.submitted.v1';

/** The extension that carries an API token. It is never written anywhere again. */
export const requestTokenExtension = 'batontoken';

/**
 * The attributes of a CloudEvent on `baton.request`: headers `ce_NAME` in binary mode, members of the event in
 * structured mode. `source` and `id` together say which wish it is: however often it comes, it starts one process.
 */
export const requestEventAttributesSchema = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(1024).describe('With `source`, which wish it is: the same two start one process'),
  source: z.string().min(1).max(1024).describe('Who asks: a URI reference of the asking system'),
  type: z.literal(requestEventType),
  datacontenttype: z
    .string()
    .regex(/^application\/([a-z.+-]+\+)?json\s*(;|$)/i, 'expected application/json')
    .optional()
    .describe('application/json, also when it is left out'),
  subject: z.string().optional(),
  time: z.string().optional(),
  [requestTokenExtension]: z
    .string()
    .min(1)
    .optional()
    .describe('An API token, unless the cluster setting `bus.requestAccount` says as whom the topic asks'),
});
export type RequestEventAttributes = z.infer<typeof requestEventAttributesSchema>;

/** Its data: the body of POST /v1/requests. */
export const requestEventDataSchema = processRequestSchema;
