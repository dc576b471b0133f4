import type { BatonClient } from '@baton/client';
import type { ProcessEventItem } from '@baton/contracts';
import { auditEffects, checkInvariants, type RecordedEvent, schemaVersions, upcast } from '@baton/process';
import { expect } from 'vitest';
import type { EffectTarget } from './effect.target.js';

/** All events of a process, as REST tells them. */
export async function eventsOf(client: BatonClient, id: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (let after = 0; ; ) {
    const { items, next } = await client.events(id, { after, limit: 500 });
    events.push(...items.map((item) => recorded(id, item)));
    after = items.at(-1)?.sequence ?? after;
    if (next === null) return events;
  }
}

function recorded(stream: string, item: ProcessEventItem): RecordedEvent {
  const schemaVersion = Object.entries(schemaVersions).find(([type]) => type === item.type)?.[1] ?? 0;
  if (typeof item.data !== 'object' || item.data === null) throw new Error(`${item.type} has no data`);
  const read = upcast({ type: item.type, schemaVersion, data: item.data });
  if ('refused' in read) throw new Error(read.refused.reason);
  const { sequence, id, time: recordedAt, metadata } = item;
  return { ...read.event, id, stream, sequence, recordedAt, schemaVersion, logIncarnation: 1, metadata };
}

/** The one promise, judged from outside: the log is sound, and the world saw nothing that it must not see. */
export async function expectPromiseKept(
  client: BatonClient,
  target: EffectTarget,
  ids: readonly string[],
): Promise<RecordedEvent[]> {
  const all: RecordedEvent[] = [];
  for (const id of ids) {
    const events = await eventsOf(client, id);
    all.push(...events);
    expect(checkInvariants(events), id).toEqual([]);
    const { effects: _, late: __, ...broken } = auditEffects(events, target.of(id));
    expect(
      Object.entries(broken).filter(([, entries]) => entries.length > 0),
      id,
    ).toEqual([]);
  }
  return all;
}

export function countOf(events: readonly { type: string }[], type: string): number {
  return events.filter((event) => event.type === type).length;
}

/** How often operators were begun again, over these processes. */
export function attemptsRepeated(events: readonly RecordedEvent[]): number {
  return events.filter((event) => event.type === 'OperatorStarted' && event.data.attempt > 1).length;
}

/** Follows a process until this has happened in it. */
export async function untilIn(
  client: BatonClient,
  id: string,
  happened: (events: readonly RecordedEvent[]) => boolean,
): Promise<void> {
  const events: RecordedEvent[] = [];
  for await (const event of client.stream(id)) {
    events.push(recorded(id, event));
    if (happened(events)) return;
  }
  throw new Error(`${id} ended first: ${events.map((event) => event.type).join(', ')}`);
}

export function started(events: readonly RecordedEvent[], path: string) {
  return events.flatMap((event) => (event.type === 'OperatorStarted' && event.data.path === path ? [event] : []));
}
