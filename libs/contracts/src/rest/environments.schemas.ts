import { z } from 'zod';
import { component, isoTime, jsonRecord, pageOf, pageQuery } from '../common.schemas.js';

const name = z
  .string()
  .regex(/^[a-zA-Z0-9]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?$/, 'letters, digits, "-" and "_", at most 63');
export const connectionSchema = component(
  'Connection',
  z.strictObject({ type: z.enum(['postgresql', 'kafka']), url: z.string().min(1).max(4096) }),
);
export type Connection = z.infer<typeof connectionSchema>;

/** Variables are replaced as a whole when given; a connection or secret that is left out stays, one that is null goes. */
export const environmentBodySchema = component(
  'EnvironmentBody',
  z.strictObject({
    variables: jsonRecord.optional(),
    connections: z.record(name, connectionSchema.nullable()).optional(),
    secrets: z.record(name, z.string().max(65_536).nullable()).optional(),
  }),
);
export type EnvironmentBody = z.input<typeof environmentBodySchema>;

/** Connections and secrets are write-only: their names come back, never what they hold. */
export const environmentSchema = component(
  'Environment',
  z.object({
    name: z.string(),
    variables: jsonRecord,
    connections: z.record(z.string(), z.object({ type: z.string() })),
    secrets: z.array(z.string()),
    updatedAt: isoTime,
  }),
);
export type Environment = z.infer<typeof environmentSchema>;
export const environmentPageSchema = component('EnvironmentPage', pageOf(environmentSchema));
export type EnvironmentPage = z.infer<typeof environmentPageSchema>;
export const environmentParams = z.strictObject({ name });
export const environmentListQuery = z.strictObject({ ...pageQuery });
