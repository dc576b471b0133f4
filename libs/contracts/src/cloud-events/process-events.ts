import { isClusterEvent } from './cluster-events.js';

/** The topics of a process's events (design 3). Attributes as CloudEvents 1.0 names them. */
export const processTopic = 'baton.process';
export const processLifecycleTopic = 'baton.process.lifecycle';

export interface ProcessCloudEvent<T = unknown> {
  specversion: '1.0';
  /** The event's id: consumers drop by it what they have seen. */
  id: string;
  /** `baton.process.requested.v1`, `baton.process.operator-completed.v1`. */
  type: string;
  source: string;
  /** The process's id. */
  subject: string;
  time: string;
  datacontenttype: 'application/json';
  sequence: string;
  partitionkey: string;
  traceparent?: string;
  data: T;
}

const lifecycle: ReadonlySet<string> = new Set([
  'ProcessRequested',
  'ProcessScheduled',
  'ProcessStarted',
  'ProcessTakenOver',
  'ProcessPaused',
  'ProcessResumed',
  'IncidentRaised',
  'IncidentResolved',
  'ProcessCompleted',
  'ProcessFailed',
  'ProcessCancelled',
]);

/** Whether an event happens to the process as a whole, and so is on `baton.process.lifecycle` too. */
export function isLifecycleEvent(eventType: string): boolean {
  return lifecycle.has(eventType);
}

/**
 * `ProcessRequested` is `baton.process.requested.v1`, `OperatorCompleted` is `baton.process.operator-completed.v1`,
 * `ExecutorLost` is `baton.cluster.executor-lost.v1`.
 */
export function cloudEventType(eventType: string, version = 1): string {
  const kebab = eventType.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  if (isClusterEvent(eventType)) return `baton.cluster.${kebab}.v${version}`;
  return `baton.process.${kebab.replace(/^process-/, '')}.v${version}`;
}
