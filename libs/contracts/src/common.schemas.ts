import { z } from 'zod';

/** A JSON value as it crosses a process border. Depth and size are limited before anything is parsed. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type JsonRecord = { [key: string]: JsonValue };

/** Everything in here becomes a named component of the OpenAPI document. */
export const components = z.registry<{ id: string }>();

export function component<T extends z.ZodType>(id: string, schema: T): T {
  components.add(schema, { id });
  return schema;
}

/** Any JSON. A schema of its own would say no more than "anything" and cost a walk over the whole value. */
export const json = z.unknown() as z.ZodType<JsonValue, JsonValue>;
export const jsonRecord = z.record(z.string(), json);
export const isoTime = z.iso.datetime({ offset: true }).describe('ISO 8601, UTC in answers');
export const nullableTime = isoTime.nullable();
export const processId = z.string().min(1).max(200).describe('Opaque');

const labelName = /^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,62}$/;
export const labels = z
  .record(
    z.string().regex(labelName, 'a label name has letters, digits, ".", "_", "/" and "-", at most 63'),
    z.string().max(255),
  )
  .refine((value) => Object.keys(value).length <= 64, 'at most 64 labels');

/** `name` or `namespace/name`; without a namespace it means `default/NAME`. */
export const definitionName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$/i,
    'a definition is named `name` or `namespace/name`, in letters, digits and "-"',
  );
export const reason = z.string().max(2000);

export const defaultPage = 50;
export const longestPage = 1000;
export const pageQuery = {
  after: z.string().max(1000).optional().describe('The `next` of the page before'),
  limit: z.coerce.number().int().min(1).max(longestPage).default(defaultPage),
};

/** A page of a list: `next` is null at the end. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}
/** A page fed by the tail of the log: it says how old it is. */
export function agedPageOf<T extends z.ZodType>(item: T) {
  return pageOf(item).extend({
    ageMs: z.number().describe('How far the list is behind the log, in milliseconds'),
  });
}
