import type { StoredEvent, StoredTail } from '@baton/event-log';
import type { RecordedEvent } from '@baton/process';
import { attemptSpanId, processSpanId, type SpanRecord, TraceDeriver } from '@baton/telemetry';
import { expect, it } from 'vitest';
import { TracedTail } from './traced-tail.js';

const caller = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

function events(stream: string, traceparent?: string): RecordedEvent[] {
  const given: [string, object][] = [
    ['ProcessRequested', { definition: { name: 'd/d', version: 1 } }],
    ['ProcessStarted', { executor: 'e' }],
    ['OperatorStarted', { path: 'a', type: 'http', attempt: 1, executor: 'e' }],
    ['OperatorCompleted', { path: 'a', attempt: 1 }],
    ['OperatorSkipped', { path: 'b' }],
    ['ProcessCompleted', {}],
  ];
  return given.map(([type, data], index) => {
    const metadata = index === 0 && traceparent ? { traceparent } : {};
    const at = { stream, sequence: index + 1, recordedAt: new Date(0).toISOString(), id: '', schemaVersion: 1 };
    return { type, data, ...at, logIncarnation: 1, metadata } as RecordedEvent;
  });
}

function stored({ metadata: { traceparent }, data, ...event }: RecordedEvent): StoredEvent {
  return { ...event, data: JSON.stringify(data), ...(traceparent === undefined ? {} : { traceparent }) };
}

function tailOf(batches: RecordedEvent[][], mostKnown?: number) {
  const asked: string[][] = [];
  const tail: StoredTail = {
    readStored: () => Promise.resolve({ events: (batches.shift() ?? []).map(stored), position: null }),
  };
  const origins = (streams: readonly string[]) => {
    asked.push([...streams]);
    return Promise.resolve(new Map(streams.filter((stream) => stream === 'c1-1').map((stream) => [stream, caller])));
  };
  const more = mostKnown === undefined ? {} : { mostKnown };
  return { traced: new TracedTail({ tail, origins, sampler: () => true, ...more }), asked };
}

it('names for each event the span that it belongs to, in the trace of its process; each of them is exported (1)', async () => {
  const one = events('c1-1', caller);
  const two = events('c1-2');
  const { traced, asked } = tailOf([[...one, ...two]]);
  const read = await traced.readStored(null, 100);
  const deriver = new TraceDeriver({
    sampler: () => true,
    read: () => Promise.resolve([]),
    readMany: () => Promise.resolve(new Map()),
  });
  const spans: SpanRecord[] = await deriver.derive([...one, ...two]);
  const exported = new Set(spans.map((span) => `00-${span.traceId}-${span.spanId}-01`));
  for (const event of read.events) expect(exported.has(event.traceparent ?? ''), event.type).toBe(true);
  const spanIds = read.events.slice(0, 6).map(({ traceparent }) => traceparent?.slice(36, 52));
  const process = processSpanId('c1-1');
  const attempt = attemptSpanId('c1-1', 'a', 1);
  expect(spanIds).toEqual([process, process, attempt, attempt, process, process]);
  expect(read.events[0]?.traceparent?.slice(3, 35)).toBe('a'.repeat(32));
  expect(asked).toEqual([]);
});

it('looks a process up that it does not know, once, however much it forgets (2)', async () => {
  const one = events('c1-1', caller).slice(2);
  const two = events('c1-2').slice(2);
  const { traced, asked } = tailOf([[...one.slice(0, 2), ...two.slice(0, 2)], one.slice(2), two.slice(2)], 1);
  const first = await traced.readStored(null, 100);
  expect(first.events[0]?.traceparent?.slice(3, 35)).toBe('a'.repeat(32));
  const again = await traced.readStored(null, 100);
  expect(again.events[0]?.traceparent?.slice(3, 35)).toBe('a'.repeat(32));
  expect(asked).toEqual([['c1-1', 'c1-2'], ['c1-1']]);
});
