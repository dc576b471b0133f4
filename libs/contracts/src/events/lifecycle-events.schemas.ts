import { z } from 'zod';
import * as field from './event.fields.js';

const by = field.actor;
const reason = field.reason.optional();
const undone = {
  compensated: field.texts('The operators whose effects were undone'),
  notUndone: field.texts('The operators whose effects stand: they have no compensation, or it failed'),
};

/** What happens to the process as a whole. */
export const lifecycleEvents = {
  ProcessRequested: z.object({
    definition: z
      .object({
        name: field.text('`namespace/name`'),
        version: field.count('Its version'),
        digest: field.text('Digest of its text'),
      })
      .describe('What is executed: this version, whatever is published later'),
    title: field.text('A title for people').optional(),
    environment: z
      .object({
        name: field.text('Its name'),
        variables: field.jsonObject('Its variables at the time of the request'),
      })
      .nullable()
      .describe('The environment that it runs in; connections and secrets are never in an event'),
    inputs: field.jsonObject('By name; what the definition marks as sensitive is sealed'),
    priority: z.number().min(0).max(9).describe('Higher first'),
    startAt: field.time('Not before').optional(),
    labels: z.record(z.string(), z.string()).describe('As the requester gave them'),
    requester: z
      .object({ id: field.text('Its id'), groups: field.texts('The groups it had then') })
      .describe('Who asked for it'),
    concurrency: z
      .object({
        key: field.text('Processes of one key share the limit'),
        limit: z.number().describe('How many of them run at once'),
        onLimit: field.growing(['queue', 'reject', 'skip', 'cancelOldest'], 'What becomes of one too many'),
      })
      .describe('Its concurrency key, where it has one')
      .optional(),
    parent: z
      .object({
        id: field.text("The parent's process id"),
        path: field.path,
        attempt: field.attempt,
        onParentEnd: field.onParentEnd,
      })
      .describe('The process and operator that started it, where it is a child')
      .optional(),
    trigger: field.json('What fired it, where it was not a person').optional(),
    timeoutAt: field.time('When its `timeout` ends it').optional(),
  }),
  ProcessScheduled: z.object({}),
  ProcessStarted: z.object({ executor: field.executor }),
  ProcessClaimed: z.object({ executor: field.executor }),
  ProcessTakenOver: z.object({
    executor: field.executor,
    from: field.text('The incarnation that was lost'),
    eventsFolded: field.count('How many events gave the state back', 0),
    operatorsPassedOver: field.count('Completed operators, which are not executed again', 0),
    alone: field.flag('Driven by an executor that drives nothing else: it is suspected of killing them').optional(),
    deaths: field.count('Executors that died with it running, since its last progress', 0).optional(),
  }),
  ProcessParked: z.object({
    waitsFor: field.texts('What it waits for, in words'),
    dueAt: field.time('When the earliest of its waits is over, where one has a time').nullable(),
  }),
  ProcessReleased: z.object({ executor: field.text('The incarnation that gave it back'), reason: field.reason }),
  ProcessPaused: z.object({ by, reason }),
  ProcessResumed: z.object({ by, reason }),
  ProcessCancelRequested: z.object({ by, reason }),
  ProcessTimedOut: z.object({ timeoutAt: field.time('When it was due') }),
  ProcessRetried: z.object({
    by,
    reason,
    paths: field.texts('The operators that are taken again'),
    queue: z
      .object({
        priority: z.number().describe('Higher first'),
        key: field.text('Its concurrency key').optional(),
        limit: z.number().describe('How many of the key run at once').optional(),
      })
      .describe('Its place in the queue: it waits for its slot again')
      .optional(),
  }),
  ProcessCompleted: z.object({ outputs: field.json('What the definition names as outputs') }),
  ProcessFailed: z.object({
    error: field.operatorError,
    path: field.path.optional(),
    failed: field.texts('When not `path` alone: every operator whose failure nobody handled').optional(),
    ...undone,
  }),
  ProcessCancelled: z.object({ by: by.optional(), reason, ...undone }),
  CompensationStarted: z.object({
    cause: field.growing(['failed', 'cancelled', 'timeout'], 'Why'),
    paths: field.texts('The operators that are about to be undone'),
  }),
  FinallyStarted: z.object({ status: field.ended.describe('How the process ends, whatever `finally` does') }),
};
