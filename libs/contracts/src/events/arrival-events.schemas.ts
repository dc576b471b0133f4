import { z } from 'zod';
import * as field from './event.fields.js';

const { path, attempt } = field;
const taskId = field.text('The user task');
const incidentId = field.text('The incident');

/** What comes from outside, and what a person is needed for. */
export const arrivalEvents = {
  TaskAssigned: z.object({
    taskId,
    path,
    attempt,
    assign: field.json('Who may answer: users, groups, roles, who may not'),
    form: field.json('JSON Schema of the answer'),
    title: field.text('For people').optional(),
    instructions: field.text('For people').optional(),
    needs: field.count('How many answers it needs'),
    dueAt: field.time('Its deadline').nullable(),
  }),
  TaskUpdated: z.object({
    taskId,
    by: field.actor,
    draft: field.json('An answer that is not given yet').optional(),
    claimedBy: field.text('Who works at it; null: nobody any more').nullable().optional(),
    delegatedTo: field.text('Whom it was handed to').optional(),
  }),
  TaskReminded: z.object({
    taskId,
    path,
    kind: field.growing(['remind', 'escalate'], 'A reminder, or somebody else as well'),
    nextAt: field.time('When the next one comes').optional(),
    assign: field.json('Who may answer from now on').optional(),
  }),
  TaskAnswered: z.object({
    taskId,
    path,
    answer: field.json('As the form asks for it'),
    by: field.actor,
    answeredAt: field.time('When').optional(),
  }),
  MessageReceived: z.object({
    messageId: field.text('The message'),
    name: field.text('Its name; of a record its topic'),
    key: field.text('Its key').optional(),
    path: path.optional(),
    payload: field.json('As it was sent'),
    receivedAt: field.time('When').optional(),
    record: z
      .object({
        partition: z.number().describe('Its partition'),
        offset: z.number().describe('Its offset'),
        timestamp: field.text('Its timestamp'),
        headers: z.record(z.string(), z.string()).describe('Its headers').optional(),
      })
      .describe('Of a record of a topic: where it stood')
      .optional(),
  }),
  JobDone: z.object({ path, attempt, result: field.json('As the worker gave it') }),
  CommandDone: z.object({ path, attempt, result: field.json('As the agent gave it') }),
  ChildEnded: z.object({
    child: field.text('The id of the child process'),
    path,
    attempt,
    status: field.ended.describe('How it ended'),
    outputs: field.json('Its outputs').optional(),
    error: field.operatorError.optional(),
  }),
  IncidentRaised: z.object({
    incidentId,
    kind: field.text('`unknown-outcome`, `failed`, `poison`, …'),
    path: path.optional(),
    reason: field.reason,
    actions: z.array(field.incidentAction).describe('What may be decided'),
  }),
  IncidentResolved: z.object({
    incidentId,
    path: path.optional(),
    action: field.incidentAction,
    output: field.json('`skip`: the output in its place').optional(),
    reason: field.reason.optional(),
    by: field.actor,
  }),
};
