import { z } from 'zod';
import { component } from '../common.schemas.js';

/** One fault: where it is, what it is, what to do about it. */
export const fieldErrorSchema = component(
  'FieldError',
  z.object({
    path: z.string().describe('JSON Pointer into the body, or the path in a definition (operators.deploy.after[0])'),
    line: z.number().int().optional(),
    column: z.number().int().optional(),
    message: z.string(),
    remedy: z.string().optional(),
  }),
);
export type FieldError = z.infer<typeof fieldErrorSchema>;

/** RFC 9457 problem details. `code` is stable; texts may be reworded. */
export const problemSchema = component(
  'Problem',
  z.object({
    type: z.string().describe('urn:baton:problem:CODE'),
    code: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    remedy: z.string().optional(),
    instance: z.string().optional(),
    errors: z.array(fieldErrorSchema).optional(),
    known: z.array(z.string()).optional().describe('The names that would have been known'),
  }),
);
export type Problem = z.infer<typeof problemSchema>;

/** The codes of problems and their titles and statuses: one place, so that both sides mean the same. */
export const problemKinds = {
  'bad-request': { status: 400, title: 'The request cannot be read' },
  unauthenticated: { status: 401, title: 'Who asks is not known' },
  'not-allowed': { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'That cannot be done with this resource' },
  'no-longer-fits': { status: 409, title: 'That no longer fits' },
  'too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body is of a type that is not understood' },
  invalid: { status: 422, title: 'What was sent does not fit' },
  'definition-faults': { status: 422, title: 'The definition has faults' },
  'unknown-definition': { status: 422, title: 'There is no such definition' },
  'unknown-environment': { status: 422, title: 'There is no such environment' },
  'key-reused': { status: 422, title: 'The Idempotency-Key was used with another body' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  unexpected: { status: 500, title: 'Something went wrong' },
  'not-ready': { status: 503, title: 'Not ready' },
  'database-away': { status: 503, title: 'The database is out of reach' },
} as const;
export type ProblemCode = keyof typeof problemKinds;

export type ProblemExtras = Partial<Pick<Problem, 'remedy' | 'instance' | 'errors' | 'known'>>;

export function problem(code: ProblemCode, detail: string, extras: ProblemExtras = {}): Problem {
  const kind = problemKinds[code];
  const { remedy, instance, errors, known } = extras;
  return {
    type: `urn:baton:problem:${code}`,
    code,
    title: kind.title,
    status: kind.status,
    detail,
    ...(remedy === undefined ? {} : { remedy }),
    ...(instance === undefined ? {} : { instance }),
    ...(errors === undefined ? {} : { errors }),
    ...(known === undefined ? {} : { known }),
  };
}
