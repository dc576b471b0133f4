import type { ProcessEvent, WaitsFor } from '../events/process-event.types.js';
import type { Json } from '../json.types.js';
import type { HeadChange, RowChange } from './head-change.types.js';

const nothing: HeadChange = Object.freeze({ rows: [] });
/** Whatever came from outside makes the process runnable; while it is owned nobody looks at that. */
const wakes: HeadChange = Object.freeze({ runnableAt: 'now', rows: [] });
const progress: HeadChange = Object.freeze({ claims: 'reset', rows: [] });

/** What an event changes beside its own row. A function of the event alone. */
export function headChangeOf(event: ProcessEvent): HeadChange {
  switch (event.type) {
    case 'ProcessRequested': {
      const { priority, startAt, concurrency, parent } = event.data;
      const rows: RowChange[] = [
        {
          table: 'queue',
          op: 'insert',
          priority,
          notBefore: startAt ?? null,
          key: concurrency?.key ?? null,
          limit: concurrency?.limit ?? null,
          onLimit: concurrency?.onLimit ?? null,
        },
      ];
      if (parent !== undefined) {
        rows.push({ table: 'child', op: 'insert', parent: parent.id, path: parent.path, attempt: parent.attempt });
      }
      return { owner: null, runnableAt: null, priority, claims: 'reset', rows };
    }
    case 'ProcessScheduled':
      return { runnableAt: 'now', rows: [{ table: 'queue', op: 'delete' }] };
    case 'ProcessStarted':
    case 'ProcessClaimed':
    case 'ProcessTakenOver':
      return { owner: event.data.executor, runnableAt: null, claims: 'increment', rows: [] };
    case 'ProcessParked':
      return { owner: null, runnableAt: event.data.dueAt, claims: 'reset', rows: [] };
    case 'ProcessReleased':
      return { owner: null, runnableAt: 'now', claims: 'reset', rows: [] };
    case 'ProcessCancelRequested':
      // Also one that still waits in the queue: an executor ends it, with its `finally`.
      return { runnableAt: 'now', rows: [{ table: 'queue', op: 'delete' }] };
    case 'ProcessRetried': {
      const { queue } = event.data;
      if (queue === undefined) return wakes;
      const { priority, key, limit } = queue;
      const row = { priority, notBefore: null, key: key ?? null, limit: limit ?? null } as const;
      const onLimit = key === undefined ? null : 'queue';
      return { owner: null, runnableAt: null, rows: [{ table: 'queue', op: 'insert', ...row, onLimit }] };
    }
    case 'ProcessPaused':
    case 'ProcessResumed':
    case 'ChildEnded':
    case 'OperatorAdmitted':
      return wakes;
    case 'MessageReceived': {
      // Its receiver has what it waited for, though it may be paused: the next message is for the next receiver.
      const { path } = event.data;
      return path === undefined ? wakes : { runnableAt: 'now', rows: [{ table: 'receiver', op: 'delete', path }] };
    }
    case 'TaskAnswered': {
      // One of several answers: what its giver held is open to the next.
      const detail = { claimedBy: null, delegatedTo: null, draft: null };
      return { runnableAt: 'now', rows: [{ table: 'task', op: 'update', id: event.data.taskId, detail }] };
    }
    case 'ProcessCompleted':
    case 'ProcessFailed':
    case 'ProcessCancelled':
      return {
        owner: null,
        runnableAt: null,
        claims: 'reset',
        rows: [
          { table: 'queue', op: 'delete' },
          { table: 'task', op: 'delete' },
          { table: 'incident', op: 'delete' },
          { table: 'receiver', op: 'delete' },
          { table: 'job', op: 'delete' },
        ],
      };
    case 'OperatorStarted': {
      const { path, attempt, waitsFor } = event.data;
      switch (waitsFor?.kind) {
        case 'message':
          return {
            rows: [
              {
                table: 'receiver',
                op: 'insert',
                path,
                attempt,
                name: waitsFor.name,
                key: waitsFor.key ?? null,
                keepMs: waitsFor.keepMs ?? null,
                topic: null,
                conditions: null,
              },
            ],
          };
        case 'topic':
          return {
            rows: [
              {
                table: 'receiver',
                op: 'insert',
                path,
                attempt,
                name: '',
                key: waitsFor.key ?? null,
                keepMs: waitsFor.keepMs ?? null,
                topic: waitsFor.topic,
                conditions: conditionsOf(waitsFor),
              },
            ],
          };
        case 'job':
          return {
            rows: [
              {
                table: 'job',
                op: 'insert',
                id: waitsFor.jobId,
                path,
                attempt,
                queue: waitsFor.queue,
                detail: waitsFor.input ?? null,
              },
            ],
          };
        default:
          return nothing;
      }
    }
    case 'TaskAssigned': {
      const { taskId, path, attempt, dueAt, assign, form, needs, title, instructions } = event.data;
      const detail: Json = { assign, form, needs, title: title ?? null, instructions: instructions ?? null };
      return { rows: [{ table: 'task', op: 'insert', id: taskId, path, attempt, detail, dueAt }] };
    }
    case 'TaskUpdated': {
      const { taskId, draft, claimedBy, delegatedTo } = event.data;
      const detail: { [key: string]: Json } = {};
      if (draft !== undefined) detail['draft'] = draft;
      if (claimedBy !== undefined) detail['claimedBy'] = claimedBy;
      if (delegatedTo !== undefined) detail['delegatedTo'] = delegatedTo;
      return { rows: [{ table: 'task', op: 'update', id: taskId, detail }] };
    }
    case 'TaskReminded': {
      const { taskId, assign, kind } = event.data;
      const detail: Json = assign === undefined ? { reminded: kind } : { reminded: kind, assign };
      return { rows: [{ table: 'task', op: 'update', id: taskId, detail }] };
    }
    case 'OperatorCompleted':
    case 'OperatorFailed':
    case 'OperatorSkipped':
    case 'OperatorCancelled':
    case 'OperatorRepeatScheduled':
      return over(event);
    case 'OperatorRetryScheduled': {
      // Never begun, or rerun without an outcome: no progress.
      const change = over(event);
      return event.data.counted === false ? { rows: change.rows } : change;
    }
    case 'OperatorOutcomeUnknown':
      return { rows: [{ table: 'job', op: 'delete', path: event.data.path }] };
    case 'JobDone':
    case 'CommandDone':
      return { runnableAt: 'now', rows: [{ table: 'job', op: 'delete', path: event.data.path }] };
    case 'IncidentRaised': {
      const { incidentId, path, kind, reason, actions } = event.data;
      return {
        rows: [
          { table: 'incident', op: 'insert', id: incidentId, path: path ?? null, kind, detail: { reason, actions } },
        ],
      };
    }
    case 'IncidentResolved':
      return {
        runnableAt: 'now',
        claims: 'reset',
        rows: [{ table: 'incident', op: 'delete', id: event.data.incidentId }],
      };
    case 'ProcessTimedOut':
    case 'OperatorWaiting':
    case 'OperatorNotTaken':
    case 'TimerFired':
    case 'CompensationStarted':
    case 'FinallyStarted':
      return nothing;
  }
}

/** An outcome is progress. Only what may have rows of its own deletes them: classes without any leave nothing behind. */
function over(event: { type: string; data: { path: string; held?: readonly string[] } }): HeadChange {
  const held = event.data.held;
  if (held === undefined || held.length === 0) return progress;
  const rows: RowChange[] = [];
  for (const table of held) {
    if (table === 'task' || table === 'incident' || table === 'receiver' || table === 'job') {
      rows.push({ table, op: 'delete', path: event.data.path });
    }
  }
  return { claims: 'reset', rows };
}

function conditionsOf({ match, schema }: Extract<WaitsFor, { kind: 'topic' }>): Json | null {
  if (match === undefined && schema === undefined) return null;
  return { ...(match === undefined ? {} : { match }), ...(schema === undefined ? {} : { schema }) };
}
