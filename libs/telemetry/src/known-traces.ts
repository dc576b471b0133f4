import { attemptSpanId, parseTraceparent, processSpanId } from './trace/trace-context.js';

/**
 * Which trace the processes are in that this service has to do with, so that a log line about one of them leads to its
 * trace. Of a process that it does not know it says nothing: a wrong id would lead astray. Bounded; the oldest go first.
 */
export class KnownTraces {
  readonly #traceIds = new Map<string, string>();
  constructor(private readonly most = 10_000) {}

  /** `traceparent`: of any span of that process's trace. */
  note(process: string, traceparent: string | undefined): void {
    if (traceparent === undefined || this.#traceIds.has(process)) return;
    const context = parseTraceparent(traceparent);
    if (context === null) return;
    this.#traceIds.set(process, context.traceId);
    if (this.#traceIds.size <= this.most) return;
    for (const oldest of this.#traceIds.keys()) {
      this.#traceIds.delete(oldest);
      return;
    }
  }

  /** What a line with these fields gets: the attempt's span where path and attempt are named, else the process's. */
  idsFor(fields: Record<string, unknown>): { trace_id?: string; span_id?: string } {
    const { process, path, attempt } = fields;
    const traceId = typeof process === 'string' ? this.#traceIds.get(process) : undefined;
    if (traceId === undefined || typeof process !== 'string') return {};
    const ofAttempt = typeof path === 'string' && typeof attempt === 'number';
    return { trace_id: traceId, span_id: ofAttempt ? attemptSpanId(process, path, attempt) : processSpanId(process) };
  }
}

/** Of this program: its logger asks it, whoever learns of a trace tells it. */
export const knownTraces = new KnownTraces();
