import type { z } from 'zod';
import type { Path } from '../definition/definition-text.js';
import type { Json } from '../json.types.js';
import { isTemplate } from '../operators/field-schemas.js';
import type { FaultList } from './fault-list.js';
import { listed, suggest } from './suggestion.js';

type Issue = z.core.$ZodIssue;

/** Checks a value by a schema; `templates`: a `${{ }}` text is accepted anywhere. True: nothing was found. */
export function checkSchema(
  schema: z.ZodType,
  value: Json,
  path: Path,
  faults: FaultList,
  options: { templates: boolean; what: string },
): boolean {
  const result = schema.safeParse(value);
  if (result.success) return true;
  const issues = result.error.issues.filter((issue) => !(options.templates && excused(issue, value)));
  for (const issue of issues) report(issue, value, path, faults, options.what, schema);
  return issues.length === 0;
}

/** What a template comes out as is known only at run time. */
function excused(issue: Issue, value: Json): boolean {
  const found = valueAt(value, issue.path);
  if (isTemplate(found)) return true;
  if (issue.code !== 'invalid_union') return false;
  return issue.errors.some((branch) => branch.length > 0 && branch.every((inner) => excused(inner, found ?? null)));
}

function valueAt(value: Json, path: readonly PropertyKey[]): Json | undefined {
  let found: Json | undefined = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    if (Array.isArray(found)) found = found[Number(name)];
    else found = Object.hasOwn(found, String(name)) ? found[String(name)] : undefined;
  }
  return found;
}

function report(issue: Issue, value: Json, base: Path, faults: FaultList, what: string, schema: z.ZodType): void {
  const inner = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  const path = [...base, ...inner];
  const name = inner.at(-1) ?? what;
  const found = valueAt(value, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(schema, inner);
      for (const key of issue.keys)
        faults.error(
          [...path, key],
          `${inner.length > 0 ? `\`${name}\`` : what} has no field "${key}".`,
          suggest(key, known, known.length > 0 ? `The fields are: ${listed(known)}.` : 'Remove it.'),
          'key',
        );
      return;
    }
    case 'invalid_type':
      if (found === undefined) {
        faults.error(path, `\`${name}\` is missing.`, missingRemedy(schema, inner), 'key');
        return;
      }
      faults.error(
        path,
        `\`${name}\` must be ${kindName(issue.expected)}, not ${describe(found)}.`,
        'Correct the value.',
      );
      return;
    case 'invalid_value': {
      const values = issue.values.map(String);
      if (found === undefined) {
        faults.error(path, `\`${name}\` is missing.`, `Add it: ${listed(values)}.`, 'key');
        return;
      }
      faults.error(
        path,
        `\`${name}\` cannot be ${describe(found)}.`,
        suggest(typeof found === 'string' ? found : '', values, `It is one of: ${listed(values)}.`),
      );
      return;
    }
    case 'invalid_union':
      reportUnion(issue, value, base, faults, what, schema);
      return;
    case 'too_big':
    case 'too_small':
      faults.error(
        path,
        `\`${name}\` is ${issue.code === 'too_big' ? 'too large' : 'too small'}: ${describe(found)}.`,
        sizeRemedy(issue),
      );
      return;
    default:
      faults.error(
        path,
        `\`${name}\`: ${describe(found)} ${issue.message}${issue.message.endsWith('.') ? '' : '.'}`,
        'Correct the value.',
      );
  }
}

/** The branch that fits best: the one whose faults lie deepest, or the fewest. */
function reportUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  value: Json,
  base: Path,
  faults: FaultList,
  what: string,
  schema: z.ZodType,
): void {
  const inner = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  const found = valueAt(value, issue.path);
  if (found === undefined) {
    faults.error([...base, ...inner], `\`${inner.at(-1) ?? what}\` is missing.`, 'Add it.', 'key');
    return;
  }
  const branches = issue.errors.filter((branch) => branch.length > 0);
  const fitting = branches.filter((branch) =>
    branch.every((one) => one.path.length > 0 || one.code !== 'invalid_type'),
  );
  const best = [...fitting].sort((a, b) => a.length - b.length)[0];
  if (!best) {
    const kinds = new Set(
      branches.flatMap((branch) =>
        branch.map((one) => (one.code === 'invalid_type' ? kindName(one.expected) : one.message)),
      ),
    );
    faults.error(
      [...base, ...inner],
      `\`${inner.at(-1) ?? what}\` must be ${[...kinds].join(' or ')}, not ${describe(found)}.`,
      'Correct the value.',
    );
    return;
  }
  for (const one of best) report({ ...one, path: [...issue.path, ...one.path] }, value, base, faults, what, schema);
}

function sizeRemedy(issue: Extract<Issue, { code: 'too_big' | 'too_small' }>): string {
  return issue.code === 'too_big' ? `At most ${issue.maximum} is allowed.` : `At least ${issue.minimum} is needed.`;
}

function describe(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function kindName(expected: string): string {
  const names: Record<string, string> = {
    string: 'text',
    number: 'a number',
    int: 'an integer',
    boolean: 'true or false',
    array: 'a list',
    object: 'a map',
    record: 'a map',
  };
  return names[expected] ?? expected;
}

/** The fields that the schema knows at the path; empty when it is not a fixed set. */
function keysAt(schema: z.ZodType, path: readonly (string | number)[]): string[] {
  const keys = objectsAt([schema], path).flatMap((object) => Object.keys(object.shape));
  return [...new Set(keys)];
}

function missingRemedy(schema: z.ZodType, path: readonly (string | number)[]): string {
  const name = String(path.at(-1) ?? '');
  const field = objectsAt([schema], path.slice(0, -1)).map((object): unknown => object.shape[name])[0];
  const description = isSchema(field) ? field.description : undefined;
  return description ? `Add \`${name}\`: ${description}` : `Add \`${name}\`.`;
}

type ObjectSchema = z.ZodType & { shape: Record<string, z.ZodType> };

function objectsAt(schemas: z.ZodType[], path: readonly (string | number)[]): ObjectSchema[] {
  let current = schemas.flatMap(unwrap);
  for (const part of path)
    current = current.flatMap((schema) => {
      if (isObject(schema)) return schema.shape[String(part)] ? unwrap(schema.shape[String(part)] as z.ZodType) : [];
      const def: unknown = Reflect.get(schema, 'def');
      const inner: unknown =
        typeof def === 'object' && def !== null
          ? (Reflect.get(def, 'element') ?? Reflect.get(def, 'valueType'))
          : undefined;
      return isSchema(inner) ? unwrap(inner) : [];
    });
  return current.filter(isObject);
}

function unwrap(schema: z.ZodType): z.ZodType[] {
  const def: unknown = Reflect.get(schema, 'def');
  if (typeof def !== 'object' || def === null) return [schema];
  const inner: unknown = Reflect.get(def, 'innerType');
  if (isSchema(inner)) return unwrap(inner);
  const options: unknown = Reflect.get(def, 'options');
  return Array.isArray(options) ? options.filter(isSchema).flatMap(unwrap) : [schema];
}

function isSchema(value: unknown): value is z.ZodType {
  return typeof value === 'object' && value !== null && 'safeParse' in value;
}

function isObject(schema: z.ZodType): schema is ObjectSchema {
  return 'shape' in schema;
}
