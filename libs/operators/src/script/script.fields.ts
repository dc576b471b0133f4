import type { Json } from '@baton/process';
import { z } from 'zod';

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const withoutNul = (value: string | number | boolean) => !String(value).includes('\u0000');

/** The fields of `script` once they are evaluated. */
export const scriptFields = z.strictObject({
  run: z.array(scalar.refine(withoutNul, 'an argument cannot hold a NUL byte')).min(1),
  stdin: z.custom<Json>(() => true).optional(),
  environment: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a name of letters, digits and _'),
      scalar.refine(withoutNul, 'a value cannot hold a NUL byte'),
    )
    .optional(),
  directory: z.string().min(1).optional(),
  parse: z.enum(['json']).optional(),
});
export type ScriptFields = z.infer<typeof scriptFields>;

/** `true`: any program. A list: these programs, as they stand in `run`. */
export type ScriptPermission = boolean | readonly string[];

/** BATON_ALLOW_SCRIPT: `on`, `off` (default), or the allowed programs, separated by commas. */
export function parseScriptPermission(text: string | undefined): ScriptPermission {
  const value = (text ?? '').trim();
  if (['', 'off', 'false', 'no', '0'].includes(value.toLowerCase())) return false;
  if (['on', 'true', 'yes', '1'].includes(value.toLowerCase())) return true;
  return value
    .split(',')
    .map((program) => program.trim())
    .filter((program) => program !== '');
}
