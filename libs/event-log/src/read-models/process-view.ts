import type { RecordedEvent } from '@baton/process';

/** One process as lists show it: folded from its events, a row of process_view. */
export interface ProcessView {
  stream: string;
  applied: number;
  definition: string;
  definitionVersion: number;
  title: string | null;
  environment: string | null;
  status: string;
  outcome: 'completed' | 'failed' | 'cancelled' | null;
  paused: boolean;
  compensating: boolean;
  waiting: boolean;
  incidents: number;
  owner: string | null;
  priority: number;
  requester: string;
  parent: string | null;
  labels: Record<string, string>;
  requestedAt: string;
  startedAt: string | null;
  endedAt: string | null;
}

/** The types of which `change` knows; of all others a view keeps nothing but how far it has come. */
export const viewEventTypes: readonly RecordedEvent['type'][] = [
  'ProcessRequested',
  'ProcessStarted',
  'ProcessClaimed',
  'ProcessTakenOver',
  'ProcessParked',
  'ProcessReleased',
  'ProcessPaused',
  'ProcessResumed',
  'IncidentRaised',
  'IncidentResolved',
  'CompensationStarted',
  'ProcessCompleted',
  'ProcessFailed',
  'ProcessCancelled',
  'ProcessRetried',
];

/** null: an event before ProcessRequested, which no stream has. Events that were applied do nothing. */
export function viewAfter(before: ProcessView | null, event: RecordedEvent): ProcessView | null {
  if (event.type === 'ProcessRequested') {
    if (before) return before;
    const { data } = event;
    return {
      stream: event.stream,
      applied: event.sequence,
      definition: data.definition.name,
      definitionVersion: data.definition.version,
      title: data.title ?? null,
      environment: data.environment?.name ?? null,
      status: data.startAt !== undefined || data.concurrency !== undefined ? 'queued' : 'requested',
      outcome: null,
      paused: false,
      compensating: false,
      waiting: false,
      incidents: 0,
      owner: null,
      priority: data.priority,
      requester: data.requester.id,
      parent: data.parent?.id ?? null,
      labels: data.labels,
      requestedAt: event.recordedAt,
      startedAt: null,
      endedAt: null,
    };
  }
  if (!before || event.sequence <= before.applied) return before;
  const view = { ...before, applied: event.sequence };
  change(view, event);
  view.status = statusOf(view);
  return view;
}

function change(view: ProcessView, event: RecordedEvent): void {
  switch (event.type) {
    case 'ProcessStarted':
    case 'ProcessClaimed':
    case 'ProcessTakenOver':
      view.owner = event.data.executor;
      view.waiting = false;
      view.startedAt ??= event.recordedAt;
      break;
    case 'ProcessParked':
      view.owner = null;
      view.waiting = true;
      break;
    case 'ProcessReleased':
      view.owner = null;
      break;
    case 'ProcessPaused':
      view.paused = true;
      break;
    case 'ProcessResumed':
      view.paused = false;
      break;
    case 'IncidentRaised':
      view.incidents += 1;
      break;
    case 'IncidentResolved':
      view.incidents = Math.max(0, view.incidents - 1);
      break;
    case 'CompensationStarted':
      view.compensating = true;
      break;
    case 'ProcessCompleted':
      end(view, 'completed', event.recordedAt);
      break;
    case 'ProcessFailed':
      end(view, 'failed', event.recordedAt);
      break;
    case 'ProcessCancelled':
      end(view, 'cancelled', event.recordedAt);
      break;
    case 'ProcessRetried':
      Object.assign(view, { outcome: null, endedAt: null, compensating: false, waiting: false, incidents: 0 });
      view.status = 'queued';
      break;
    default:
      break;
  }
}

function end(view: ProcessView, outcome: NonNullable<ProcessView['outcome']>, at: string): void {
  Object.assign(view, { outcome, endedAt: at, owner: null, paused: false, waiting: false, incidents: 0 });
}

function statusOf(view: ProcessView): string {
  if (view.outcome) return view.outcome;
  if (view.incidents > 0) return 'incident';
  if (view.paused) return 'paused';
  // Also a retried one is queued again, until an executor has it.
  if (view.startedAt === null || (view.status === 'queued' && view.owner === null)) return view.status;
  if (view.compensating) return 'compensating';
  return view.waiting ? 'waiting' : 'running';
}
