import type { Tail, TailPosition, TraceTail } from '@baton/event-log';
import type { RecordedEvent } from '@baton/process';
import type { SendResult, SpanRecord } from '@baton/telemetry';
import { expect, it } from 'vitest';
import { silentMeter } from '../scheduler.ports.js';
import { TraceExporter } from './trace-exporter.js';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const now = Date.parse('2026-11-24T10:00:00.000Z');

/** A log of one-operator processes, one event after the other, with the checkpoints of its subscribers. */
class Scene {
  readonly taken: SpanRecord[] = [];
  readonly events: RecordedEvent[] = [];
  /** What the collector answers next; taken when it says nothing. */
  answer: (spans: readonly SpanRecord[]) => SendResult = () => ({ status: 'taken' });
  checkpoint: TailPosition | null = null;
  sends = 0;

  constructor(processes: number, agedMs = 0) {
    for (let p = 0; p < processes; p++) {
      const given: [string, object][] = [
        ['ProcessRequested', { definition: { name: 'd/d', version: 1 } }],
        ['OperatorStarted', { path: 'a', type: 'http', attempt: 1, executor: 'e' }],
        ['OperatorCompleted', { path: 'a', attempt: 1 }],
        ['ProcessCompleted', {}],
      ];
      const recordedAt = new Date(now - agedMs).toISOString();
      for (const [index, [type, data]] of given.entries()) {
        const at = { stream: `c1-${p}`, sequence: index + 1, recordedAt, id: '', schemaVersion: 1, logIncarnation: 1 };
        this.events.push({ type, data, ...at, metadata: {} } as RecordedEvent);
      }
    }
  }

  #at = (index: number): TailPosition => ({ logIncarnation: 1, transactionId: String(index), stream: '', sequence: 0 });

  log: TraceTail = {
    read: (after, limit) => {
      const from = Number(after?.transactionId ?? 0);
      const events = this.events.slice(from, from + limit);
      const traced = events.map((event) => ({ ...event, recordedAt: Date.parse(event.recordedAt) }));
      return Promise.resolve({ events: traced, position: this.#at(from + events.length) });
    },
  };

  tail: Pick<Tail, 'checkpoint' | 'moveCheckpoint' | 'end'> = {
    checkpoint: () => Promise.resolve(this.checkpoint),
    moveCheckpoint: (_, from, to) => {
      if (from?.transactionId !== this.checkpoint?.transactionId) return Promise.resolve(false);
      this.checkpoint = to;
      return Promise.resolve(true);
    },
    end: () => Promise.resolve(this.#at(this.events.length)),
  };

  exporter(batch = 5): TraceExporter {
    return new TraceExporter({
      events: this.log,
      tail: this.tail,
      log: {
        read: (stream, after = 0, limit = 1_000) =>
          Promise.resolve(this.events.filter((event) => event.stream === stream).slice(after, after + limit)),
        readMany: (streams) =>
          Promise.resolve(
            new Map(streams.map(({ stream }) => [stream, this.events.filter((event) => event.stream === stream)])),
          ),
        heads: () => Promise.resolve(new Map()),
      },
      sender: {
        send: (spans) => {
          this.sends += 1;
          const result = this.answer(spans);
          if (result.status === 'taken') this.taken.push(...spans);
          return Promise.resolve(result);
        },
        close: () => Promise.resolve(),
      },
      settings: { sampler: () => true },
      batch,
      request: batch,
      now: () => now + 5_000,
      logger: quiet,
      meter: silentMeter,
    });
  }

  ids(): string[] {
    return this.taken.map(({ spanId }) => spanId);
  }
}

async function untilDone(exporter: TraceExporter): Promise<void> {
  while (await exporter.round());
}

it('exports every span once, batch by batch (1)', async () => {
  const scene = new Scene(10);
  await untilDone(scene.exporter());
  expect(scene.taken).toHaveLength(20);
  expect(new Set(scene.ids()).size).toBe(20);
});

it('an exporter that was killed before its checkpoint moved repeats that batch with the same ids, and nothing else (1)', async () => {
  const scene = new Scene(10);
  const first = scene.exporter();
  await first.round();
  await first.round();
  const before = scene.checkpoint;
  await first.round();
  const lastBatch = scene.ids();
  scene.checkpoint = before; // killed after the collector's answer
  await untilDone(scene.exporter());
  expect(new Set(scene.ids()).size).toBe(20);
  const repeated = scene.ids().filter((id, at, all) => all.indexOf(id) !== at);
  expect(repeated.length).toBeGreaterThan(0);
  expect(lastBatch.slice(-repeated.length)).toEqual(repeated);
});

it('while the collector is away the same spans are tried again, and the checkpoint waits (2)', async () => {
  const scene = new Scene(10);
  const exporter = scene.exporter();
  scene.answer = () => ({ status: 'away', reason: 'connection refused' });
  for (let n = 0; n < 3; n++) await expect(exporter.round()).rejects.toThrow(/connection refused/);
  expect(scene.checkpoint).toBeNull();
  scene.answer = () => ({ status: 'taken' });
  await untilDone(exporter);
  expect([scene.taken.length, new Set(scene.ids()).size]).toEqual([20, 20]);
});

it('sends nothing twice when only the checkpoint could not be moved (1)', async () => {
  const scene = new Scene(10);
  const exporter = scene.exporter();
  const move = scene.tail.moveCheckpoint;
  scene.tail.moveCheckpoint = () => Promise.reject(new Error('the database is away'));
  await expect(exporter.round()).rejects.toThrow(/away/);
  await expect(exporter.round()).rejects.toThrow(/away/);
  scene.tail.moveCheckpoint = move;
  await untilDone(exporter);
  expect([scene.taken.length, new Set(scene.ids()).size]).toEqual([20, 20]);
});

it('drops the one span that a collector never wants, and no other (3)', async () => {
  const scene = new Scene(10);
  scene.answer = (spans) =>
    spans.some((span) => span.name === 'http a' && span.attributes['baton.process.id'] === 'c1-4')
      ? { status: 'refused', reason: '400' }
      : { status: 'taken' };
  await untilDone(scene.exporter(8));
  expect(new Set(scene.ids()).size).toBe(19);
  expect(scene.taken).toHaveLength(19);
});

it('another exporter that moved the checkpoint meanwhile is believed (4)', async () => {
  const scene = new Scene(10);
  const frozen = scene.exporter();
  await frozen.round();
  await untilDone(scene.exporter());
  const done = scene.checkpoint;
  await untilDone(frozen);
  expect(scene.checkpoint).toEqual(done);
  expect(new Set(scene.ids()).size).toBe(20);
});

it('begins with the whole of a young log, and at the end of an old one', async () => {
  const young = new Scene(2);
  await untilDone(young.exporter());
  expect(young.taken).toHaveLength(4);
  const old = new Scene(2, 7_200_000);
  await untilDone(old.exporter());
  expect(old.taken).toHaveLength(0);
  expect(old.checkpoint?.transactionId).toBe('8');
});
