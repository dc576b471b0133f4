import type { RecordedEvent } from '@baton/process';

/** What the demo's onlooker sees, folded from the tail of the log. */
export interface Takeover {
  process: string;
  from: string;
  by: string;
  at: number;
  eventsFolded: number;
  operatorsPassedOver: number;
}

export class WatchState {
  readonly requested = new Set<string>();
  readonly children = new Set<string>();
  readonly ended = new Map<string, 'completed' | 'failed' | 'cancelled'>();
  readonly waiting = new Set<string>();
  readonly compensating = new Set<string>();
  readonly started = new Set<string>();
  readonly openTasks = new Map<string, { process: string; path: string }>();
  readonly takeovers: Takeover[] = [];
  readonly incidents = new Map<string, string>();
  operatorsCompleted = 0;
  operatorsRunning = new Map<string, string>();
  approvalsAnswered = 0;
  events = 0;

  get roots(): number {
    return this.requested.size - this.children.size;
  }

  get rootsEnded(): number {
    let n = 0;
    for (const id of this.ended.keys()) if (!this.children.has(id)) n++;
    return n;
  }

  get allEnded(): boolean {
    return this.ended.size === this.requested.size;
  }

  endedAs(status: 'completed' | 'failed' | 'cancelled'): number {
    let n = 0;
    for (const [id, end] of this.ended) if (end === status && !this.children.has(id)) n++;
    return n;
  }

  apply(event: RecordedEvent): void {
    this.events++;
    const id = event.stream;
    switch (event.type) {
      case 'ProcessRequested':
        this.requested.add(id);
        if (event.data.parent) this.children.add(id);
        break;
      case 'ProcessStarted':
      case 'ProcessClaimed':
        this.started.add(id);
        this.waiting.delete(id);
        break;
      case 'ProcessTakenOver':
        this.waiting.delete(id);
        this.takeovers.push({
          process: id,
          from: event.data.from,
          by: event.data.executor,
          at: Date.parse(event.recordedAt),
          eventsFolded: event.data.eventsFolded,
          operatorsPassedOver: event.data.operatorsPassedOver,
        });
        break;
      case 'ProcessParked':
        this.waiting.add(id);
        break;
      case 'OperatorStarted':
        if (event.data.class === 'effect') this.operatorsRunning.set(`${id} ${event.data.path}`, event.data.executor);
        break;
      case 'OperatorCompleted':
      case 'OperatorFailed':
      case 'OperatorCancelled':
      case 'OperatorOutcomeUnknown':
        if (event.type === 'OperatorCompleted') this.operatorsCompleted++;
        this.operatorsRunning.delete(`${id} ${event.data.path}`);
        break;
      case 'TaskAssigned':
        this.openTasks.set(event.data.taskId, { process: id, path: event.data.path });
        break;
      case 'TaskAnswered':
        this.openTasks.delete(event.data.taskId);
        this.approvalsAnswered++;
        break;
      case 'IncidentRaised':
        this.incidents.set(event.data.incidentId, event.data.reason);
        break;
      case 'IncidentResolved':
        this.incidents.delete(event.data.incidentId);
        break;
      case 'CompensationStarted':
        this.compensating.add(id);
        break;
      case 'ProcessCompleted':
        this.#end(id, 'completed');
        break;
      case 'ProcessFailed':
        this.#end(id, 'failed');
        break;
      case 'ProcessCancelled':
        this.#end(id, 'cancelled');
        break;
      default:
    }
  }

  #end(id: string, status: 'completed' | 'failed' | 'cancelled'): void {
    this.ended.set(id, status);
    this.waiting.delete(id);
    this.compensating.delete(id);
  }
}
