import type { EventLog, Tail, TailPosition, TraceTail } from '@baton/event-log';
import { type SendResult, type SpanRecord, type SpanSender, TraceDeriver, type TraceSettings } from '@baton/telemetry';
import type { Logger, Meter } from '../scheduler.ports.js';

export const tracesSubscriber = 'traces';

export interface TraceExporterOptions {
  /** What happened. */
  events: TraceTail;
  tail: Pick<Tail, 'checkpoint' | 'moveCheckpoint' | 'end'>;
  log: Pick<EventLog, 'read' | 'readMany' | 'heads'>;
  sender: SpanSender;
  settings: Pick<TraceSettings, 'sampler'>;
  /** Events read in one go. */
  batch: number;
  /** Spans sent in one request at most. */
  request: number;
  /** ms since 1970 by the database's clock. */
  now(): number;
  logger: Logger;
  meter: Meter;
}

/** Where traces begin when they were never exported: a young log is told whole, an old one from here on. */
const youngMs = 3_600_000;

interface Batch {
  from: TailPosition | null;
  to: TailPosition;
  spans: SpanRecord[];
  more: boolean;
  /** The collector has it; only the checkpoint is still to be moved. */
  sent: boolean;
}

/**
 * Job: one round of exporting: tail, spans, collector, checkpoint.
 * Boundary: who may export (a lease) and when a round comes are the caller's; what a span is, is libs/telemetry's.
 * Invariants:
 * 1. The checkpoint moves only after the collector has taken every span of the batch: a killed executor loses none, a
 *    killed exporter at most repeats a batch, with the same ids.
 * 2. While the collector is away the same batch is sent again, nothing more is read; the lag of the checkpoint tells.
 * 3. What a collector refuses for ever (400, 413) is halved until the culprit is alone; that one is dropped, told and counted.
 * 4. The checkpoint moves by compare-and-set: if another moved it, what is kept is forgotten and the position read again.
 */
export class TraceExporter {
  readonly #deriver: TraceDeriver;
  #position: TailPosition | null | undefined;
  #waiting: Batch | null = null;
  #away = false;

  constructor(private readonly options: TraceExporterOptions) {
    const { log, settings } = options;
    this.#deriver = new TraceDeriver({
      sampler: settings.sampler,
      read: (stream, after, limit) => log.read(stream, after, limit),
      readMany: (streams, limit) => readBeginnings(log, streams, limit),
    });
  }

  /** True: there may be more at once. Throws when the collector is away: the caller comes back, more and more slowly. */
  async round(): Promise<boolean> {
    const batch = this.#waiting ?? (await this.#next());
    if (batch === null) return false;
    this.#waiting = batch;
    if (!batch.sent) await this.#send(batch);
    batch.sent = true;
    const moved = await this.options.tail.moveCheckpoint(tracesSubscriber, batch.from, batch.to);
    this.#waiting = null;
    if (moved) this.#position = batch.to;
    else this.forget();
    return batch.more;
  }

  /** Another exports meanwhile: its checkpoint counts. */
  forget(): void {
    this.#position = undefined;
    this.#waiting = null;
    this.#deriver.forget();
  }

  async #next(): Promise<Batch | null> {
    const { events: log, batch: limit } = this.options;
    const from = this.#position === undefined ? await this.#begin() : this.#position;
    this.#position = from;
    const { events, position } = await log.read(from, limit);
    if (events.length === 0 || position === null) return null;
    const spans = await this.#deriver.derive(events);
    return { from, to: position, spans, more: events.length >= limit, sent: false };
  }

  async #begin(): Promise<TailPosition | null> {
    const { tail, events: log, now } = this.options;
    const checkpoint = await tail.checkpoint(tracesSubscriber);
    if (checkpoint !== null) return checkpoint;
    const { events } = await log.read(null, 1);
    const [oldest] = events;
    if (oldest === undefined || now() - oldest.recordedAt < youngMs) return null;
    const end = await tail.end();
    if (end !== null) await tail.moveCheckpoint(tracesSubscriber, null, end);
    return tail.checkpoint(tracesSubscriber);
  }

  /** Invariant 2, 3. */
  async #send({ spans }: Batch): Promise<void> {
    const { request: most } = this.options;
    for (let at = 0; at < spans.length; at += most) await this.#sendPart(spans.slice(at, at + most));
    if (this.#away) this.options.logger.info({}, 'the collector takes spans again');
    this.#away = false;
  }

  async #sendPart(spans: SpanRecord[]): Promise<void> {
    const result = await this.options.sender.send(spans);
    if (result.status === 'taken') {
      this.options.meter.count('baton.traces.spans', spans.length, { outcome: 'exported' });
      return;
    }
    if (result.status === 'away') throw this.#isAway(result);
    if (spans.length > 1) {
      const half = Math.ceil(spans.length / 2);
      await this.#sendPart(spans.slice(0, half));
      await this.#sendPart(spans.slice(half));
      return;
    }
    const [span] = spans;
    const { logger, meter } = this.options;
    logger.error(
      { process: span?.attributes['baton.process.id'], span_id: span?.spanId, reason: result.reason },
      'the collector refuses a span for good; it is dropped',
    );
    meter.count('baton.traces.spans', 1, { outcome: 'refused' });
  }

  #isAway({ reason }: Extract<SendResult, { reason: string }>): Error {
    this.#away = true;
    return new Error(`The collector does not take spans: ${reason}. They are kept in the log and sent later.`);
  }
}

/** The first events of each stream; a long one is read on by pages where that is needed. */
async function readBeginnings(
  log: TraceExporterOptions['log'],
  streams: readonly string[],
  limit: number,
): ReturnType<EventLog['readMany']> {
  const heads = await log.heads([...streams]);
  const short = streams.filter((stream) => (heads.get(stream)?.version ?? 0) <= limit);
  return log.readMany(short.map((stream) => ({ stream, after: 0 })));
}
