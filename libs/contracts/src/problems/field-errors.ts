import { z } from 'zod';
import { nearestName } from './nearest-name.js';
import type { FieldError } from './problem.schemas.js';

/** What zod found, in words that name the place (JSON Pointer) and the remedy. */
export function fieldErrors(schema: z.ZodType, error: z.ZodError): FieldError[] {
  return error.issues.flatMap((issue) => explain(schema, issue));
}

export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function explain(schema: z.ZodType, issue: z.core.$ZodIssue): FieldError[] {
  const path = jsonPointer(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = fieldsAt(schema, issue.path);
    return issue.keys.map((key) => {
      const near = nearestName(key, known);
      const instead = near ? `did you mean "${near}"?` : `leave it out; known are: ${known.join(', ')}`;
      return { path: `${path}${jsonPointer([key])}`, message: `"${key}" is not a field here`, remedy: instead };
    });
  }
  if (issue.code === 'invalid_union') {
    const closest = issue.errors.toSorted((a, b) => distance(a) - distance(b))[0] ?? [];
    const nested = closest.flatMap((inner) => explain(schema, { ...inner, path: [...issue.path, ...inner.path] }));
    if (nested.length > 0) return nested;
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return [{ path, message: 'is missing', remedy: `give ${article(issue.expected)}` }];
  }
  if (issue.code === 'invalid_type') {
    return [{ path, message: `must be ${article(issue.expected)}`, remedy: `give ${article(issue.expected)}` }];
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map((value) => JSON.stringify(value)).join(', ');
    return [{ path, message: issue.values.length === 1 ? `must be ${values}` : `must be one of ${values}` }];
  }
  return [{ path, message: issue.message }];
}

/** How far a value is from one alternative: another type altogether is farther than any number of faults. */
function distance(issues: readonly z.core.$ZodIssue[]): number {
  const otherType = issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0);
  return issues.length + (otherType ? 10_000 : 0);
}

function article(type: string): string {
  if (type === 'record') return 'an object';
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** The fields that an object at this place of the schema may have. */
function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let current: z.core.$ZodType[] = unwrap(schema);
  for (const part of path) current = current.flatMap((type) => step(type, part)).flatMap(unwrap);
  return [...new Set(current.flatMap((type) => (type instanceof z.ZodObject ? Object.keys(type.shape) : [])))];
}

function step(type: z.core.$ZodType, part: PropertyKey): z.core.$ZodType[] {
  if (type instanceof z.ZodObject) {
    const next = type.shape[String(part)];
    return next ? [next] : [];
  }
  if (type instanceof z.ZodArray) return [type.element];
  if (type instanceof z.ZodRecord) return [type.valueType];
  return [];
}

function unwrap(type: z.core.$ZodType): z.core.$ZodType[] {
  if (type instanceof z.ZodOptional || type instanceof z.ZodNullable || type instanceof z.ZodDefault) {
    return unwrap(type.unwrap());
  }
  if (type instanceof z.ZodUnion) return type.options.flatMap(unwrap);
  if (type instanceof z.ZodPipe) return unwrap(type.in);
  return [type];
}
