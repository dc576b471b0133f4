import type { EffectResult, Json } from '@baton/process';
import type { z } from 'zod';

/** Known: refused before anything was sent, or answered with an error. */
export function failed(code: string, message: string, details?: Json, output?: Json): EffectResult {
  return {
    status: 'failed',
    error: { code, message, ...(details === undefined ? {} : { details }) },
    ...(output === undefined ? {} : { output }),
  };
}

export const unknown = (reason: string): EffectResult => ({ status: 'unknown', reason });
export const notBegun = (reason: string): EffectResult => ({ status: 'not-begun', reason });

export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  if (typeof code === 'string') return code;
  return Array.isArray(errors) ? codeOf(errors[0]) : undefined;
}

/** Why a signal was aborted: the attempt's timeout is told apart from a cancel, for retries name codes. */
export function abortOf(signal: AbortSignal): { code: 'timeout' | 'aborted'; text: string } {
  const reason: unknown = signal.reason;
  const name = reason instanceof Error ? reason.name : '';
  const text = reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : 'aborted';
  return name === 'TimeoutError' || text === 'timeout'
    ? { code: 'timeout', text: 'the time of the attempt was up' }
    : { code: 'aborted', text: `it was cut off (${text})` };
}

/** The evaluated fields against the type's own schema: what expressions made of them is not known before. */
export function checkFields<T>(schema: z.ZodType<T>, fields: unknown): { fields: T } | { failure: EffectResult } {
  const result = schema.safeParse(fields);
  if (result.success) return { fields: result.data };
  const faults = result.error.issues.map((issue) => `${issue.path.join('.') || 'fields'}: ${issue.message}`);
  return { failure: failed('invalid-fields', `The fields do not fit: ${faults.join('; ')}`, faults) };
}
