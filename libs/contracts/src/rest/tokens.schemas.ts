import { z } from 'zod';
import { component, isoTime, nullableTime, pageOf, pageQuery } from '../common.schemas.js';
import { roleSchema } from './roles.schemas.js';

const group = z.string().min(1).max(200);
export const tokenRequestSchema = component(
  'TokenRequest',
  z.strictObject({
    name: z.string().min(1).max(200).describe('The user or service it belongs to; it is who acts'),
    role: roleSchema,
    groups: z.array(group).max(100).default([]).describe('Groups of people that tasks are assigned to'),
    expiresAt: isoTime.optional(),
  }),
);
export type TokenRequest = z.input<typeof tokenRequestSchema>;

export const tokenItemSchema = component(
  'TokenItem',
  z.object({
    id: z.string(),
    name: z.string(),
    role: roleSchema,
    groups: z.array(z.string()),
    createdAt: isoTime,
    createdBy: z.string(),
    expiresAt: nullableTime,
    revokedAt: nullableTime,
  }),
);
export type TokenItem = z.infer<typeof tokenItemSchema>;
export const tokenCreatedSchema = component(
  'TokenCreated',
  tokenItemSchema.extend({ token: z.string().describe('Shown this once') }),
);
export type TokenCreated = z.infer<typeof tokenCreatedSchema>;
export const tokenPageSchema = component('TokenPage', pageOf(tokenItemSchema));
export type TokenPage = z.infer<typeof tokenPageSchema>;
export const tokenParams = z.strictObject({ id: z.string().min(1).max(200) });
export const tokenListQuery = z.strictObject({ ...pageQuery });
