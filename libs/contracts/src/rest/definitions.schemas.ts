import { z } from 'zod';
import { component, definitionName, isoTime, json, pageOf, pageQuery } from '../common.schemas.js';
import { fieldErrorSchema } from '../problems/problem.schemas.js';

export const publishedSchema = component(
  'PublishedDefinition',
  z.object({
    name: z.string(),
    version: z.number().int(),
    digest: z.string(),
    warnings: z.array(fieldErrorSchema).optional(),
  }),
);
export type PublishedDefinition = z.infer<typeof publishedSchema>;

export const definitionItemSchema = component(
  'DefinitionItem',
  z.object({
    name: z.string(),
    version: z.number().int().describe('The newest'),
    digest: z.string(),
    publishedAt: isoTime,
    publishedBy: z.string(),
  }),
);
export type DefinitionItem = z.infer<typeof definitionItemSchema>;

export const definitionSchema = component(
  'Definition',
  definitionItemSchema.extend({
    text: z.string().describe('As it was published'),
    inputs: z.record(z.string(), json).describe('A JSON Schema for each input'),
    requiredInputs: z.array(z.string()),
    environments: z.array(z.string()).optional(),
  }),
);
export type Definition = z.infer<typeof definitionSchema>;

export const definitionPageSchema = component('DefinitionPage', pageOf(definitionItemSchema));
export type DefinitionPage = z.infer<typeof definitionPageSchema>;

export const definitionParams = z.strictObject({
  namespace: definitionName.describe('`default` when the name has none'),
  name: definitionName,
});
export const definitionQuery = z.strictObject({ version: z.coerce.number().int().min(1).optional() });
export const definitionListQuery = z.strictObject({ ...pageQuery });
/** YAML or JSON. */
export const definitionText = z.string();
