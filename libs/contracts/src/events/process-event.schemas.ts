import type { z } from 'zod';
import { arrivalEvents } from './arrival-events.schemas.js';
import { lifecycleEvents } from './lifecycle-events.schemas.js';
import { operatorEvents } from './operator-events.schemas.js';

/** The data of every event of a process, by type: what is on `baton.process`. */
export const processEventSchemas = { ...lifecycleEvents, ...operatorEvents, ...arrivalEvents };

export type ProcessEventName = keyof typeof processEventSchemas;
export type ProcessEventPayload<T extends ProcessEventName = ProcessEventName> = z.infer<
  (typeof processEventSchemas)[T]
>;

export const processEventNames = Object.keys(processEventSchemas) as ProcessEventName[];

/** When each of them happens: the first thing that a reader wants to know. */
export const processEventMeanings: Readonly<Record<ProcessEventName, string>> = {
  ProcessRequested: 'Somebody asked for it; always sequence 1.',
  ProcessScheduled: 'Admitted: executors may claim it.',
  ProcessStarted: 'The first executor claimed it.',
  ProcessClaimed: 'Claimed again after a wait or a release.',
  ProcessTakenOver: 'Its executor was lost, another goes on.',
  ProcessParked: 'Everything open waits; nobody holds it.',
  ProcessReleased: 'Its executor gave it back.',
  ProcessPaused: 'A person paused it.',
  ProcessResumed: 'A person let it go on.',
  ProcessCancelRequested: 'A person, its parent or a concurrency key wants it to end.',
  ProcessTimedOut: 'Its `timeout` passed.',
  ProcessRetried: 'A failed process was reopened and stands in the queue: a second end may follow.',
  ProcessCompleted: 'End: it completed.',
  ProcessFailed: 'End: it failed.',
  ProcessCancelled: 'End: it was cancelled.',
  CompensationStarted: 'What completed is about to be undone.',
  FinallyStarted: 'Its `finally` begins; the end is decided.',
  OperatorStarted: 'Committed before an effect begins, or with what it waits for.',
  OperatorWaiting: 'Before its start it waits for a lock or a window.',
  OperatorAdmitted: 'That lock or window is there.',
  OperatorCompleted: 'It completed; from here on it is never executed again.',
  OperatorFailed: 'It failed for good.',
  OperatorSkipped: 'Its `when` was false, or a person skipped it.',
  OperatorNotTaken: 'Its links can no longer hold.',
  OperatorCancelled: 'It ended with a race, a failure or a cancel.',
  OperatorRetryScheduled: 'The next attempt is due at a time.',
  OperatorRepeatScheduled: 'The next iteration of `repeat` is due at a time.',
  OperatorOutcomeUnknown: 'Nobody saw how its effect ended.',
  TimerFired: 'A durable wait is over.',
  TaskAssigned: 'A user task is open.',
  TaskUpdated: 'A draft, a claim or a delegation of a user task.',
  TaskReminded: 'A user task was reminded of, or escalated.',
  TaskAnswered: 'A user task was answered.',
  MessageReceived: 'A message came.',
  JobDone: 'A worker is done.',
  CommandDone: 'An agent is done.',
  ChildEnded: "A child process ended; this stands in the parent's stream.",
  IncidentRaised: 'A person is needed.',
  IncidentResolved: 'A person decided.',
};
