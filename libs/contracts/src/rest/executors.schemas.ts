import { z } from 'zod';
import { component, isoTime } from '../common.schemas.js';

export const executorSchema = component(
  'Executor',
  z.object({
    id: z.string(),
    host: z.string(),
    pid: z.number().int(),
    version: z.string(),
    status: z.enum(['alive', 'draining', 'suspect', 'lost', 'left']),
    processes: z.number().int(),
    capacity: z.number().int(),
    startedAt: isoTime,
    heartbeatAt: isoTime,
  }),
);
export type Executor = z.infer<typeof executorSchema>;
export const executorListSchema = component('ExecutorList', z.object({ items: z.array(executorSchema) }));
export type ExecutorList = z.infer<typeof executorListSchema>;
