import { z } from 'zod';
import { component, json, jsonRecord, nullableTime, pageOf, pageQuery } from '../common.schemas.js';

export const taskSchema = component(
  'Task',
  z.object({
    id: z.string(),
    process: z.string(),
    path: z.string(),
    attempt: z.number().int(),
    title: z.string().nullable(),
    instructions: z.string().nullable(),
    form: json.describe('JSON Schema of the answer'),
    assign: json,
    needs: z.number().int(),
    claimedBy: z.string().nullable(),
    draft: json.optional(),
    assignedAt: nullableTime,
    dueAt: nullableTime,
    mayAnswer: z.boolean().describe('Whether you may'),
  }),
);
export type Task = z.infer<typeof taskSchema>;
export const taskPageSchema = component('TaskPage', pageOf(taskSchema));
export type TaskPage = z.infer<typeof taskPageSchema>;

export const taskParams = z.strictObject({ id: z.string().min(1).max(200) });
export const taskListQuery = z.strictObject({
  process: z.string().max(200).optional(),
  mine: z.enum(['true', 'false']).optional().describe('Only what you may answer'),
  ...pageQuery,
});
export const answerSchema = component('TaskAnswer', z.strictObject({ answer: json }));
export type TaskAnswer = z.input<typeof answerSchema>;
export const draftSchema = component('TaskDraft', z.strictObject({ draft: json }));
export const delegateSchema = component('TaskDelegation', z.strictObject({ to: z.string().min(1).max(200) }));
export const emptyBodySchema = component('Nothing', z.strictObject({}));
export const taskDoneSchema = component(
  'TaskAnswered',
  z.object({ id: z.string(), process: z.string(), answer: json.optional(), detail: jsonRecord.optional() }),
);
export type TaskDone = z.infer<typeof taskDoneSchema>;
