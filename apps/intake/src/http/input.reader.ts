import { type FieldError, fieldErrors, type RestOperation } from '@baton/contracts';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { jsonOf, textOf } from './json.body.js';
import { refuse } from './problem.error.js';

/** The parts of a call, checked; all faults of all parts are told at once. */
export function readInput(operation: RestOperation, request: FastifyRequest): object {
  const errors: FieldError[] = [];
  const params = check(operation.params, request.params, 'path', errors);
  const query = check(operation.query, request.query, 'query', errors);
  const body = operation.body ? check(operation.body, bodyOf(operation, request), '', errors) : undefined;
  if (errors.length > 0) throw refuse('invalid', summaryOf(errors), { errors });
  return { params, query, body };
}

/** Checks one value against a schema; what does not fit goes to `errors`, with its place. */
export function check<T>(
  schema: z.ZodType<T> | undefined,
  value: unknown,
  place: string,
  errors: FieldError[],
): unknown {
  if (!schema) return {};
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  for (const error of fieldErrors(schema, result.error)) {
    errors.push(place ? { ...error, path: `${place}:${error.path.slice(1)}` } : error);
  }
  return undefined;
}

export function summaryOf(errors: readonly FieldError[]): string {
  const [first, ...more] = errors;
  if (!first) return 'it does not fit';
  const rest = more.length > 0 ? ` (and ${more.length} more)` : '';
  return `${first.path || 'the body'}: ${first.message}${rest}`;
}

function bodyOf(operation: RestOperation, request: FastifyRequest): unknown {
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  if (operation.bodyTypes) return textOf(bytes);
  if (bytes.length === 0 && operation.bodyOptional) return {};
  const type = request.headers['content-type'];
  if (bytes.length > 0 && type && !/^(application|text)\/([a-z.+-]+\+)?json\b/i.test(type)) {
    throw refuse('unsupported-media-type', `a body of type ${type} is not understood here`, {
      remedy: 'send JSON, with content-type: application/json',
    });
  }
  return jsonOf(bytes);
}
