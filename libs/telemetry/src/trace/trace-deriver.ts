import { ProcessTrace, type TracedEvent } from './process-trace.js';
import type { SpanRecord } from './span.record.js';
import type { Sampler } from './trace-context.js';

/** The events of a stream that lie before what the tail now shows, a page at a time. */
export type ReadStream = (stream: string, after: number, limit: number) => Promise<TracedEvent[]>;
/** The first page of many streams in one go. */
export type ReadStreams = (streams: readonly string[], limit: number) => Promise<Map<string, TracedEvent[]>>;

export interface TraceDeriverOptions {
  sampler: Sampler;
  read: ReadStream;
  readMany: ReadStreams;
  /** What is kept of processes under way, in open spans and events. The least recently met go first. */
  mostKept?: number;
}

const page = 1_000;
const firstPage = 200;

/**
 * Job: spans of a batch of the tail.
 * Boundary: where the batch comes from and where the spans go is the caller's.
 * Invariants:
 * 1. What is kept of a process is the fold of its stream up to a version, and never needed: without it, or after a gap or
 *    a repetition in the tail, it is folded again from the log. So a killed exporter loses nothing.
 * 2. Memory is bounded by `mostKept`, however many processes are under way.
 * 3. Folding again gives no span out: those of earlier events were given before.
 */
export class TraceDeriver {
  /** In the order of use. */
  readonly #kept = new Map<string, ProcessTrace>();
  #weight = 0;
  #batch = 0;

  constructor(private readonly options: TraceDeriverOptions) {}

  get kept(): number {
    return this.#kept.size;
  }

  async derive(events: readonly TracedEvent[]): Promise<SpanRecord[]> {
    this.#batch += 1;
    const spans: SpanRecord[] = [];
    const give = (span: SpanRecord): void => {
      spans.push(span);
    };
    let beginnings: Map<string, TracedEvent[]> | undefined;
    for (let index = 0; index < events.length; index++) {
      const event = events[index]!;
      let trace = this.#keptBefore(event);
      if (trace === undefined) {
        if (event.sequence > 1) beginnings ??= await this.#beginnings(events.slice(index));
        // Nothing is waited for where nothing is read: most processes are met at their first event.
        trace = event.sequence === 1 ? this.#keep(event.stream) : await this.#foldBefore(event, beginnings);
      }
      const before = trace.weight;
      trace.apply(event, give);
      this.#weight += trace.weight - before;
    }
    this.#evict();
    return spans;
  }

  /** The tail was read by another meanwhile: nothing that is kept is trusted. */
  forget(): void {
    this.#kept.clear();
    this.#weight = 0;
  }

  async #beginnings(events: readonly TracedEvent[]): Promise<Map<string, TracedEvent[]>> {
    const unknown = new Set<string>();
    const met = new Set<string>();
    for (const event of events) {
      if (met.has(event.stream)) continue;
      met.add(event.stream);
      if (event.sequence > 1 && this.#kept.get(event.stream)?.version !== event.sequence - 1) unknown.add(event.stream);
    }
    return unknown.size === 0 ? new Map() : this.options.readMany([...unknown], firstPage);
  }

  #keptBefore(event: TracedEvent): ProcessTrace | undefined {
    const kept = this.#kept.get(event.stream);
    if (kept === undefined) return undefined;
    if (kept.version !== event.sequence - 1) {
      this.#kept.delete(event.stream);
      this.#weight -= kept.weight;
      return undefined;
    }
    // Once a batch is often enough for the order of use.
    if (kept.usedIn === this.#batch) return kept;
    kept.usedIn = this.#batch;
    this.#kept.delete(event.stream);
    this.#kept.set(event.stream, kept);
    return kept;
  }

  #keep(stream: string): ProcessTrace {
    const trace = new ProcessTrace(stream, this.options.sampler);
    trace.usedIn = this.#batch;
    this.#weight += trace.weight;
    this.#kept.set(stream, trace);
    return trace;
  }

  async #foldBefore(event: TracedEvent, beginnings: Map<string, TracedEvent[]> | undefined): Promise<ProcessTrace> {
    const trace = new ProcessTrace(event.stream, this.options.sampler);
    let known = beginnings?.get(event.stream) ?? [];
    while (trace.version < event.sequence - 1) {
      for (const earlier of known)
        if (earlier.sequence === trace.version + 1 && earlier.sequence < event.sequence) trace.apply(earlier, ignore);
      if (trace.version >= event.sequence - 1) break;
      known = await this.options.read(event.stream, trace.version, page);
      if (known[0]?.sequence !== trace.version + 1)
        throw new Error(`Event ${trace.version + 1} of ${event.stream} is not in the log.`);
    }
    trace.usedIn = this.#batch;
    this.#weight += trace.weight;
    this.#kept.set(event.stream, trace);
    return trace;
  }

  #evict(): void {
    const most = this.options.mostKept ?? 100_000;
    for (const [stream, trace] of this.#kept) {
      if (this.#weight <= most) return;
      this.#kept.delete(stream);
      this.#weight -= trace.weight;
    }
  }
}

const ignore = (): void => undefined;
