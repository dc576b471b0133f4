import type { CellIds, StoredEvent, StoredTail } from '@baton/event-log';
import {
  attemptSpanId,
  formatTraceparent,
  parseTraceparent,
  processContext,
  type Sampler,
  type TraceContext,
} from '@baton/telemetry';
import type { LogPool } from '../scheduler.ports.js';
import { traceOrigins } from '../sql/trace-origins.sql.js';

/**
 * Job: the tail, each event with the span that it belongs to as its `traceparent`: the attempt's, else the process's. So
 * whoever reads the topics continues the trace of the process, as whoever is called by it does.
 * Boundary: what is published, and how, is the publisher's.
 * Invariants: 1. every span that it names is exported (spans of an attempt are named from its start on); 2. memory is
 * bounded: what a process's trace is can always be looked up by its first event.
 */
export class TracedTail implements StoredTail {
  readonly #known = new Map<string, TraceContext>();

  constructor(
    private readonly options: {
      tail: StoredTail;
      /** The trace contexts that came with the requests of these processes. */
      origins: (streams: readonly string[]) => Promise<ReadonlyMap<string, string>>;
      sampler: Sampler;
      mostKnown?: number;
    },
  ) {}

  async readStored(...how: Parameters<StoredTail['readStored']>): ReturnType<StoredTail['readStored']> {
    const found = await this.options.tail.readStored(...how);
    for (const { type, stream, traceparent } of found.events)
      if (type === 'ProcessRequested') this.#learn(stream, traceparent);
    await this.#lookUp(found.events.filter(({ stream }) => !this.#known.has(stream)).map(({ stream }) => stream));
    const events = found.events.map((event) => {
      const context = this.#known.get(event.stream);
      if (context === undefined) return event;
      return { ...event, traceparent: formatTraceparent(spanOf(event, context)) };
    });
    this.#forget();
    return { ...found, events };
  }

  #learn(stream: string, traceparent: string | undefined): void {
    this.#known.set(stream, processContext(stream, parseTraceparent(traceparent), this.options.sampler));
  }

  async #lookUp(streams: readonly string[]): Promise<void> {
    if (streams.length === 0) return;
    const unknown = [...new Set(streams)];
    const origins = await this.options.origins(unknown);
    for (const stream of unknown) this.#learn(stream, origins.get(stream));
  }

  /** The oldest go first: most processes are short. */
  #forget(): void {
    const { mostKnown = 50_000 } = this.options;
    for (const stream of this.#known.keys()) {
      if (this.#known.size <= mostKnown) return;
      this.#known.delete(stream);
    }
  }
}

export function originsIn(pool: Pick<LogPool, 'query'>, ids: CellIds) {
  return async (streams: readonly string[]): Promise<ReadonlyMap<string, string>> => {
    const { rows } = await pool.query<{ stream_id: string; traceparent: string }>({
      name: 'trace_origins',
      text: traceOrigins,
      values: [streams.map((stream) => ids.mustUuid(stream))],
    });
    return new Map(rows.map((row) => [ids.id(row.stream_id), row.traceparent]));
  };
}

/** Of an attempt that never began (skipped, waiting for a lock) there is no span. */
function spanOf(event: StoredEvent, context: TraceContext): TraceContext {
  if (!spansOf.has(event.type)) return context;
  const { path, attempt } = JSON.parse(event.data) as { path?: string; attempt?: number };
  if (path === undefined || attempt === undefined) return context;
  return { ...context, spanId: attemptSpanId(event.stream, path, attempt) };
}

const spansOf = new Set([
  'OperatorStarted',
  'OperatorCompleted',
  'OperatorFailed',
  'OperatorRetryScheduled',
  'OperatorRepeatScheduled',
  'OperatorOutcomeUnknown',
  'TaskAssigned',
  'JobDone',
  'CommandDone',
  'ChildEnded',
]);
