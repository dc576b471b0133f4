import { z } from 'zod';
import * as field from './event.fields.js';

const { path, attempt, held } = field;
const output = field.json('What it gives to the expressions of others').optional();
const reason = field.reason;
const failure = field.text('Groups and loops: the path of the innermost operator whose failure this is').optional();

const unannounced = field.text('The operator type, where no `OperatorStarted` told it (class inline)').optional();

/** What happens to one operator of a process. */
export const operatorEvents = {
  OperatorStarted: z.object({
    path,
    type: field.text('The operator type: `http`, `script`, `user-task`, …'),
    class: field.growing(['inline', 'effect', 'waiting'], 'Whether it only computes, changes the world, or waits'),
    attempt,
    executor: field.executor,
    waitsFor: field.waitsFor.optional(),
    items: field.json('`forEach`: the list, evaluated once').optional(),
    keys: field
      .texts('`forEach` with `key`: the keys of the items, percent-encoded, in the order of the list')
      .optional(),
    round: field.count("The idempotency key's round, when above 1").optional(),
    iteration: field.count('`repeat`: the iteration, when above 1').optional(),
    startedAt: field.startedAt.optional(),
    timers: field.timers.optional(),
  }),
  OperatorWaiting: z.object({ path, waitsFor: field.waitsFor }),
  OperatorAdmitted: z.object({ path }),
  OperatorCompleted: z.object({
    path,
    type: unannounced,
    held: held.optional(),
    attempt,
    outcome: field.text('Which of its named outcomes, where it has them').optional(),
    output,
    startedAt: field.startedAt.optional(),
    endedAt: field.endedAt.optional(),
    by: field.actor.optional(),
    messageId: field.messageId.optional(),
  }),
  OperatorFailed: z.object({
    path,
    type: unannounced,
    held: held.optional(),
    attempt,
    error: field.operatorError,
    startedAt: field.startedAt.optional(),
    endedAt: field.endedAt.optional(),
    output,
    cause: failure,
    messageId: field.messageId.optional(),
  }),
  OperatorSkipped: z.object({
    path,
    held: held.optional(),
    by: field.actor.optional(),
    output,
    reason: reason.optional(),
  }),
  OperatorNotTaken: z.object({ path }),
  OperatorCancelled: z.object({
    path,
    held: held.optional(),
    attempt,
    reason,
    race: field.flag('It lost a race against another operator').optional(),
  }),
  OperatorRetryScheduled: z.object({
    path,
    type: unannounced,
    held: held.optional(),
    attempt,
    error: field.operatorError.optional(),
    dueAt: field.time('When the next attempt begins'),
    newKey: field.flag('The next attempt has a new idempotency key').optional(),
    items: field.growing(['failed', 'all'], '`forEach`: which items are taken again').optional(),
    cause: failure,
    counted: field.flag('false: no known failure, it uses up no attempt').optional(),
    messageId: field.messageId.optional(),
  }),
  OperatorRepeatScheduled: z.object({
    path,
    type: unannounced,
    held: held.optional(),
    attempt,
    iteration: field.count('The iteration that begins next'),
    output,
    dueAt: field.time('When it begins'),
    messageId: field.messageId.optional(),
  }),
  OperatorOutcomeUnknown: z.object({
    path,
    attempt,
    reason,
    recovery: field.growing(['rerun', 'fail', 'ask', 'verify'], 'What the definition wants done about it'),
    startedAt: field.startedAt.optional(),
    lost: field.flag('Found by a takeover, not reported by its operator').optional(),
  }),
  TimerFired: z.object({ path, timer: field.timerKind, dueAt: field.time('When it was due') }),
};
