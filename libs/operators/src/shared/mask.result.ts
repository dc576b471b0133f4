import type { EffectResult } from '@baton/process';
import type { Masker } from '@baton/security';

/**
 * Nothing that an effect gives back shows a secret that went into it: output, error, details and reasons. The executor
 * applies it with the values it resolved for the attempt, before it seals and appends.
 */
export function maskResult(result: EffectResult, masker: Masker): EffectResult {
  if (result.status === 'unknown' || result.status === 'not-begun')
    return { ...result, reason: masker.text(result.reason) };
  const output = result.output === undefined ? {} : { output: masker.json(result.output) };
  if (result.status === 'completed') return { ...result, ...output };
  const { error } = result;
  const details = error.details === undefined ? {} : { details: masker.json(error.details) };
  return { ...result, ...output, error: { ...error, message: masker.text(error.message), ...details } };
}
