import type { Json, RecordedEvent } from '@baton/process';

/** Lists and searches. The list of processes is fed by the tail and says its age; tasks and incidents are as of now. */
export interface ProcessViews {
  /** Applies events in the tail's order; what was applied already does nothing. */
  apply(events: readonly RecordedEvent[]): Promise<void>;
  list(query: ProcessQuery): Promise<Page<ProcessListItem>>;
  /** Processes by status, for metrics. */
  countByStatus(): Promise<Record<string, number>>;
  clear(): Promise<void>;
}
export interface WorkLists {
  tasks(query?: { after?: string; limit?: number; process?: string }): Promise<Page<TaskItem>>;
  task(id: string): Promise<TaskItem | null>;
  incidents(query?: { after?: string; limit?: number; process?: string; kind?: string }): Promise<Page<IncidentItem>>;
  incident(id: string): Promise<IncidentItem | null>;
  /** What a process waits for, for `why`. */
  receivers(process: string): Promise<ReceiverItem[]>;
}

export interface Page<T> {
  items: T[];
  /** Cursor of the next page; null: this was the last one. */
  next: string | null;
}
export interface ProcessQuery {
  /** One, or several separated by commas. */
  status?: string;
  definition?: string;
  labels?: Record<string, string>;
  after?: string;
  limit?: number;
}
export interface ProcessListItem {
  id: string;
  definition: string;
  version: number;
  title: string | null;
  environment: string | null;
  status: string;
  owner: string | null;
  priority: number;
  requester: string;
  parent: string | null;
  labels: Record<string, string>;
  requestedAt: string;
  startedAt: string | null;
  endedAt: string | null;
}
export interface TaskItem {
  id: string;
  process: string;
  path: string;
  attempt: number;
  dueAt: string | null;
  openedAt: string;
  detail: Json;
}
export interface IncidentItem {
  id: string;
  process: string;
  path: string | null;
  kind: string;
  openedAt: string;
  detail: Json;
}
export interface ReceiverItem {
  path: string;
  attempt: number;
  name: string;
  key: string | null;
  topic: string | null;
  openedAt: string;
}

export class BadCursor extends Error {
  override name = 'BadCursor';
  constructor(options?: ErrorOptions) {
    super('This cursor was not given out by this list: leave `after` out to begin at the start.', options);
  }
}
