import { cloudEventType, clusterEventSchemas, isClusterEvent } from '@baton/contracts';
import type { StoredEvent, Tail } from '@baton/event-log';

/** An event as the log holds it. */
export type LoggedEvent = Awaited<ReturnType<Tail['read']>>['events'][number];

/** An event as handlers see it, the same over every transport. */
export interface BusEvent {
  /** `process.requested`, `process.operator-completed`: what `@OnEvent` names. */
  name: string;
  /** The event's id: consumers drop by it what they have seen. */
  id: string;
  /** `ProcessRequested`. */
  type: string;
  schemaVersion: number;
  /** The process's id; of a cluster event the node. */
  subject: string;
  /** Gapless from 1 within a subject. */
  sequence: number;
  /** ISO 8601, by the database's clock. */
  time: string;
  /** `/baton/CELL/LOG-INCARNATION`. */
  source: string;
  traceparent?: string;
  data: unknown;
}

/** `ProcessRequested` is `process.requested`, `OperatorCompleted` `process.operator-completed`, `ExecutorLost` `cluster.executor-lost`. */
export function eventNameOf(type: string): string {
  let name = names.get(type);
  if (name === undefined) {
    name = cloudEventType(type)
      .replace(/^baton\./, '')
      .replace(/\.v\d+$/, '');
    names.set(type, name);
  }
  return name;
}
const names = new Map<string, string>();

/** The event types that an event's name may stand for. */
export function eventTypesOf(name: string): string[] {
  const cluster = Object.keys(clusterEventSchemas).find((type) => eventNameOf(type) === name);
  if (cluster !== undefined) return [cluster];
  const words = name.replace(/^process\./, '').split('-');
  const type = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return [type, `Process${type}`].filter((candidate) => eventNameOf(candidate) === name);
}

export function busEventOf(event: LoggedEvent): BusEvent {
  const { traceparent } = event.metadata;
  const cell = event.stream.slice(0, event.stream.indexOf('-'));
  return {
    name: eventNameOf(event.type),
    id: event.id,
    type: event.type,
    schemaVersion: event.schemaVersion,
    subject: subjectOf(event),
    sequence: event.sequence,
    time: event.recordedAt,
    source: `/baton/${cell}/${event.logIncarnation}`,
    ...(traceparent === undefined ? {} : { traceparent }),
    data: event.data,
  };
}

/** What an event as it is stored says of itself beside its data. */
export function attributesOf(event: StoredEvent): Omit<BusEvent, 'name' | 'data'> {
  const { id, type, schemaVersion, stream, sequence, recordedAt, logIncarnation, traceparent } = event;
  const subject = isClusterEvent(type) ? subjectOf({ type, stream, data: JSON.parse(event.data) }) : stream;
  const source = `/baton/${stream.slice(0, stream.indexOf('-'))}/${logIncarnation}`;
  const attributes: Omit<BusEvent, 'name' | 'data'> = {
    id,
    type,
    schemaVersion,
    subject,
    sequence,
    time: recordedAt,
    source,
  };
  if (traceparent !== undefined) attributes.traceparent = traceparent;
  return attributes;
}

/** The stream, or the node that a cluster event is about. */
function subjectOf(event: { type: string; stream: string; data: unknown }): string {
  if (!isClusterEvent(event.type)) return event.stream;
  const { node } = event.data as { node?: unknown };
  return String(node);
}

/** Whether a subscriber of these names wants events of the cluster ('*': all events). */
export function wantsCluster(events: ReadonlySet<string>): boolean {
  return events.has('*') || [...events].some((name) => name.startsWith('cluster.'));
}
export function wantsProcesses(events: ReadonlySet<string>): boolean {
  return [...events].some((name) => !name.startsWith('cluster.'));
}
