import { z } from 'zod';
import { component, json } from '../common.schemas.js';

const name = z.string().min(1).max(200);
export const processMessageSchema = component(
  'ProcessMessage',
  z.strictObject({ name, payload: json.optional().describe('null when left out') }),
);
export type ProcessMessage = z.input<typeof processMessageSchema>;

export const messageSchema = component(
  'Message',
  z.strictObject({
    name,
    key: z.string().min(1).max(500).describe('The correlation key'),
    payload: json.optional().describe('null when left out'),
  }),
);
export type Message = z.input<typeof messageSchema>;

export const messageAcceptedSchema = component(
  'MessageAccepted',
  z.object({
    id: z.string(),
    delivered: z.string().nullable().describe('The process that took it, or null: kept until somebody waits'),
  }),
);
export type MessageAccepted = z.infer<typeof messageAcceptedSchema>;
