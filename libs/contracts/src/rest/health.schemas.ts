import { z } from 'zod';
import { component, jsonRecord } from '../common.schemas.js';

export const healthSchema = component(
  'Health',
  z.object({ status: z.enum(['live', 'ready', 'degraded', 'not-ready']), checks: jsonRecord }),
);
export type Health = z.infer<typeof healthSchema>;
export const rebuildStartedSchema = component(
  'RebuildStarted',
  z.object({ status: z.literal('requested'), requestedAt: z.string() }),
);
export type RebuildStarted = z.infer<typeof rebuildStartedSchema>;
