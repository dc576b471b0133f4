import { z } from 'zod';
import { durationRemedy, parseDuration } from '../definition/duration.js';
import type { Json } from '../json.types.js';

/** Building blocks for the fields of operator types. A `${{ }}` text is accepted wherever one of these stands. */
export const jsonValue: z.ZodType<Json> = z
  .json()
  .meta({ id: 'AnyValue', description: 'Any value; ${{ }} is filled in.' });

export const jsonSchema = z
  .record(z.string(), z.json())
  .meta({ id: 'JsonSchema', description: 'A JSON Schema (2020-12).' });

export const text = z.string().min(1);

export const duration = z
  .string()
  .refine((value) => parseDuration(value) !== undefined, { error: `is not a duration. ${durationRemedy}` })
  .meta({ id: 'Duration', description: 'A duration: a number and ms, s, m, h, d or w; 1h30m.' });

export const textMap = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

export function isTemplate(value: Json | undefined): boolean {
  return typeof value === 'string' && value.includes('${{');
}
