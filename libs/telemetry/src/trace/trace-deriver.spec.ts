import { expect, it } from 'vitest';
import type { TracedEvent } from './process-trace.js';
import { TraceDeriver } from './trace-deriver.js';

/** Many processes whose operators start in one part of the tail and end in another. */
function log(processes: number, operators: number): Map<string, TracedEvent[]> {
  const streams = new Map<string, TracedEvent[]>();
  for (let p = 0; p < processes; p++) {
    const stream = `c1-${p}`;
    const given: [string, object][] = [['ProcessRequested', { definition: { name: 'd/d', version: 1 } }]];
    for (let o = 0; o < operators; o++) {
      given.push(['OperatorStarted', { path: `o${o}`, type: 'http', attempt: 1, executor: 'e' }]);
      given.push(['OperatorCompleted', { path: `o${o}`, attempt: 1 }]);
    }
    given.push(['ProcessCompleted', {}]);
    const recordedAt = new Date(0).toISOString();
    streams.set(
      stream,
      given.map(([type, data], index) => ({ type, data, stream, sequence: index + 1, recordedAt, metadata: {} })),
    );
  }
  return streams;
}

function deriverOver(streams: Map<string, TracedEvent[]>, mostKept?: number) {
  const reads = { many: 0, one: 0 };
  const deriver = new TraceDeriver({
    sampler: () => true,
    ...(mostKept === undefined ? {} : { mostKept }),
    read: (stream, after, limit) => {
      reads.one += 1;
      return Promise.resolve((streams.get(stream) ?? []).slice(after, after + limit));
    },
    readMany: (wanted, limit) => {
      reads.many += 1;
      return Promise.resolve(new Map(wanted.map((stream) => [stream, (streams.get(stream) ?? []).slice(0, limit)])));
    },
  });
  return { deriver, reads };
}

/** The tail as commits interleave it: one event of each process in turn. */
function interleaved(streams: Map<string, TracedEvent[]>): TracedEvent[] {
  const all = [...streams.values()];
  const longest = Math.max(...all.map((events) => events.length));
  return Array.from({ length: longest }, (_, at) => all.flatMap((events) => events[at] ?? [])).flat();
}

const idsOf = (spans: readonly { spanId: string }[]): string[] => spans.map(({ spanId }) => spanId).sort();

it('gives the same spans whether one exporter read the tail, or each batch was read by a new one (1, 3)', async () => {
  const streams = log(7, 5);
  const tail = interleaved(streams);
  const { deriver, reads } = deriverOver(streams);
  const whole = await deriver.derive(tail);
  expect(whole).toHaveLength(7 * 6);
  expect(reads).toEqual({ many: 0, one: 0 });
  const parts = [];
  for (let at = 0; at < tail.length; at += 10)
    parts.push(...(await deriverOver(streams).deriver.derive(tail.slice(at, at + 10))));
  expect(parts.toSorted((a, b) => a.spanId.localeCompare(b.spanId))).toEqual(
    whole.toSorted((a, b) => a.spanId.localeCompare(b.spanId)),
  );
});

it('gives a batch again when it is read again (1)', async () => {
  const streams = log(3, 4);
  const tail = interleaved(streams);
  const { deriver } = deriverOver(streams);
  await deriver.derive(tail.slice(0, 9));
  const once = await deriver.derive(tail.slice(9, 21));
  expect(idsOf(await deriver.derive(tail.slice(9, 21)))).toEqual(idsOf(once));
});

it('keeps no more than it may, and loses nothing by it (2)', async () => {
  const streams = log(50, 4);
  const tail = interleaved(streams);
  const { deriver } = deriverOver(streams, 20);
  const spans = [];
  for (let at = 0; at < tail.length; at += 25) {
    spans.push(...(await deriver.derive(tail.slice(at, at + 25))));
    expect(deriver.kept).toBeLessThanOrEqual(20);
  }
  expect(new Set(idsOf(spans)).size).toBe(50 * 5);
  expect(spans).toHaveLength(50 * 5);
});

it('reads a long stream page by page', async () => {
  const streams = log(1, 2_000);
  const tail = interleaved(streams);
  const { deriver, reads } = deriverOver(streams);
  const spans = await deriver.derive(tail.slice(-2));
  expect(spans).toHaveLength(2);
  expect(reads).toEqual({ many: 1, one: 4 });
});
