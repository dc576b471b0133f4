import type { SpanEvent, SpanLink, SpanRecord } from './span.record.js';
import {
  attemptSpanId,
  parseTraceparent,
  parseTracestate,
  processContext,
  processSpanId,
  type Sampler,
} from './trace-context.js';

/** What is read of an event of the log. Neither inputs nor outputs are looked at: nothing of them can reach a span. */
export interface TracedEvent {
  type: string;
  stream: string;
  sequence: number;
  /** ms since 1970, or as the log writes it. */
  recordedAt: number | string;
  data: object;
  metadata: { traceparent?: string; tracestate?: string };
}

interface Facts {
  definition?: { name: string; version: number };
  path?: string;
  type?: string;
  attempt?: number;
  executor?: string;
  from?: string;
  startedAt?: string;
  endedAt?: string;
  outcome?: string;
  error?: { code: string };
  lost?: boolean;
  waitsFor?: { kind: string } | string[];
  operatorsPassedOver?: number;
  kind?: string;
  action?: string;
  cause?: string;
  status?: string;
  timer?: string;
  taskId?: string;
  incidentId?: string;
  child?: string;
}

interface OpenAttempt {
  attempt: number;
  spanId: string;
  type: string;
  startedAt: number;
  executor: string;
  waitsFor: string | null;
  events: SpanEvent[];
  droppedEvents: number;
  links: SpanLink[];
}

/** An attempt whose span is out while its operator goes on: tried again, repeated, verified. */
interface ClosedAttempt {
  attempt: number;
  /** The executor was lost under it. */
  cutOff: boolean;
  /** Spans of attempts that no start announced (inline operators), beyond the first. */
  unannounced: number;
}

/** As the SDKs of OpenTelemetry limit it. What comes later is counted. */
const mostEvents = 128;
const clients = new Set(['http', 'sql']);

/**
 * Job: folds one process's events into its spans: one for the process, one for each attempt of an operator.
 * Boundary: reads nothing and sends nothing; the same events give the same spans with the same ids, always.
 * Invariants:
 * 1. A span is given out once, when its end is met; ids follow from process id, path and attempt.
 * 2. Memory: what is open, what is between two attempts, and at most 128 events for each of these.
 * 3. Facts that people or targets wrote (inputs, outputs, messages, reasons) never reach a span.
 */
export class ProcessTrace {
  version = 0;
  /** The last batch that had an event of it. */
  usedIn = 0;
  readonly #open = new Map<string, OpenAttempt>();
  readonly #closed = new Map<string, ClosedAttempt>();
  #traceId = '';
  #parent: string | undefined;
  #tracestate: string | null = null;
  #sampled = true;
  #definition = { name: '', version: 0 };
  #run = 1;
  #ownSpanId = '';
  #startedAt = 0;
  #executor = '';
  #takeovers = 0;
  #takenOverAt = 0;
  #events: SpanEvent[] = [];
  #droppedEvents = 0;

  constructor(
    readonly id: string,
    private readonly sampler: Sampler,
  ) {}

  /** How much it keeps, in open spans and events. */
  get weight(): number {
    return 1 + this.#open.size + this.#closed.size + this.#events.length;
  }

  /** Folds the next event; `give` gets the spans that end with it. */
  apply(event: TracedEvent, give: (span: SpanRecord) => void): void {
    this.version = event.sequence;
    const { recordedAt } = event;
    const at = typeof recordedAt === 'number' ? recordedAt : Date.parse(recordedAt);
    const facts: Facts = event.data;
    if (event.type === 'ProcessRequested') {
      this.#begin(event, facts, at);
      return;
    }
    if (!this.#sampled) return;
    switch (event.type) {
      case 'OperatorStarted':
        this.#start(facts, at);
        return;
      case 'OperatorCompleted':
      case 'OperatorFailed':
      case 'OperatorRetryScheduled':
      case 'OperatorRepeatScheduled':
      case 'OperatorCancelled':
      case 'OperatorOutcomeUnknown':
        this.#end(event.type, facts, at, give);
        return;
      case 'OperatorSkipped':
      case 'OperatorNotTaken':
        this.#leave(facts, at, give);
        return;
      case 'ProcessCompleted':
      case 'ProcessFailed':
      case 'ProcessCancelled':
        this.#finish(event.type, facts, at, give);
        return;
      case 'ProcessRetried':
        this.#run += 1;
        this.#ownSpanId = processSpanId(this.id, this.#run);
        this.#startedAt = at;
        break;
      case 'ProcessTakenOver':
        this.#takeovers += 1;
        this.#takenOverAt = at;
        this.#executor = facts.executor ?? '';
        break;
      case 'ProcessStarted':
      case 'ProcessClaimed':
        this.#executor = facts.executor ?? '';
        break;
      case 'ProcessReleased':
        this.#takenOverAt = at;
        break;
    }
    this.#note(event.type, facts, at);
  }

  #begin(event: TracedEvent, facts: Facts, at: number): void {
    const incoming = parseTraceparent(event.metadata.traceparent);
    const context = processContext(this.id, incoming, this.sampler);
    this.#traceId = context.traceId;
    this.#ownSpanId = context.spanId;
    this.#sampled = context.sampled;
    this.#parent = incoming?.spanId;
    this.#tracestate = incoming === null ? null : parseTracestate(event.metadata.tracestate);
    this.#definition = facts.definition ?? this.#definition;
    this.#startedAt = at;
  }

  #start(facts: Facts, at: number): void {
    const { path = '', attempt = 1 } = facts;
    const before = this.#closed.get(path);
    this.#closed.delete(path);
    const { waitsFor } = facts;
    this.#open.set(path, {
      attempt,
      spanId: attemptSpanId(this.id, path, attempt),
      type: facts.type ?? 'operator',
      startedAt: timeOf(facts.startedAt) ?? at,
      executor: facts.executor ?? this.#executor,
      waitsFor: waitsFor !== undefined && 'kind' in waitsFor ? waitsFor.kind : null,
      events: [],
      droppedEvents: 0,
      links: before === undefined ? [] : [this.#linkTo(path, before)],
    });
  }

  #linkTo(path: string, { attempt, cutOff }: ClosedAttempt): SpanLink {
    return {
      spanId: attemptSpanId(this.id, path, attempt),
      attributes: { 'baton.link': cutOff ? 'taken-over-from' : 'attempt-before' },
    };
  }

  #end(type: string, facts: Facts, at: number, give: (span: SpanRecord) => void): void {
    const { path = '', attempt = 1 } = facts;
    const goesOn = between.has(type);
    const open = this.#open.get(path);
    const before = this.#closed.get(path);
    const cutOff = facts.lost === true;
    if (open !== undefined) {
      this.#open.delete(path);
      const span = this.#attempt(path, open, facts, this.#endOf(open, facts, at), errorOf(type, facts));
      give(span);
    } else if (before !== undefined && before.unannounced === 0) {
      // The attempt's span is out already: what became of it later is told on the process's.
      this.#note(type, facts, at);
    } else {
      const unannounced = before?.unannounced ?? 0;
      const inline: OpenAttempt = {
        attempt,
        spanId: attemptSpanId(this.id, path, attempt),
        type: facts.type ?? 'operator',
        startedAt: timeOf(facts.startedAt) ?? at,
        executor: this.#executor,
        waitsFor: null,
        events: [],
        droppedEvents: 0,
        links: [],
      };
      const span = this.#attempt(path, inline, facts, timeOf(facts.endedAt) ?? at, errorOf(type, facts));
      give(unannounced === 0 ? span : { ...span, spanId: attemptSpanId(this.id, `${path}~${unannounced}`, attempt) });
      if (goesOn) this.#closed.set(path, { attempt, cutOff, unannounced: unannounced + 1 });
    }
    if (!goesOn) this.#closed.delete(path);
    else if (open !== undefined) this.#closed.set(path, { attempt: open.attempt, cutOff, unannounced: 0 });
  }

  /** An attempt that was cut off ends when its process was taken over, not when somebody dared to say so. */
  #endOf(open: OpenAttempt, facts: Facts, at: number): number {
    if (facts.lost === true && this.#takenOverAt >= open.startedAt) return this.#takenOverAt;
    return timeOf(facts.endedAt) ?? at;
  }

  /** It has no attempt to show; if it waited, that ends. */
  #leave(facts: Facts, at: number, give: (span: SpanRecord) => void): void {
    const { path = '' } = facts;
    const open = this.#open.get(path);
    this.#closed.delete(path);
    if (open === undefined) return;
    this.#open.delete(path);
    give(this.#attempt(path, open, facts, at, undefined));
  }

  #attempt(path: string, open: OpenAttempt, facts: Facts, endedAt: number, error: string | undefined): SpanRecord {
    const startedAt = timeOf(facts.startedAt) ?? open.startedAt;
    const { type, attempt, executor, waitsFor } = open;
    const attributes: SpanRecord['attributes'] = {
      'baton.process.id': this.id,
      'baton.definition.name': this.#definition.name,
      'baton.definition.version': this.#definition.version,
      'baton.operator.path': path,
      'baton.operator.type': type,
      'baton.operator.attempt': attempt,
    };
    if (executor !== '') attributes['baton.executor.id'] = executor;
    if (waitsFor !== null) attributes['baton.operator.waits_for'] = waitsFor;
    if (facts.outcome !== undefined) attributes['baton.operator.outcome'] = facts.outcome;
    if (error !== undefined) attributes['error.type'] = error;
    const span: SpanRecord = {
      traceId: this.#traceId,
      spanId: open.spanId,
      parentSpanId: this.#around(path),
      name: `${type} ${path}`,
      kind: clients.has(type) ? 'client' : type === 'publish' ? 'producer' : 'internal',
      startedAt,
      endedAt: Math.max(startedAt, endedAt),
      attributes,
      events: open.events,
      droppedEvents: open.droppedEvents,
      links: open.links,
    };
    if (this.#tracestate !== null) span.tracestate = this.#tracestate;
    if (error !== undefined) span.error = facts.lost === true ? 'cut off: its executor was lost' : error;
    return span;
  }

  /** The innermost group or loop that is open around it, else the process. */
  #around(path: string): string {
    for (let end = lastBorder(path, path.length); end > 0; end = lastBorder(path, end)) {
      const outer = path.slice(0, end);
      const open = this.#open.get(outer);
      if (open !== undefined) return open.spanId;
    }
    return this.#ownSpanId;
  }

  #finish(type: string, facts: Facts, at: number, give: (span: SpanRecord) => void): void {
    for (const [path, open] of this.#open) give(this.#attempt(path, open, {}, at, 'ended-with-its-process'));
    this.#open.clear();
    this.#closed.clear();
    const failed = type === 'ProcessFailed';
    const error = failed ? codeOf(facts.error?.code) : undefined;
    const first = this.#run === 1;
    const parentSpanId = first ? this.#parent : processSpanId(this.id);
    give({
      traceId: this.#traceId,
      spanId: this.#ownSpanId,
      ...(parentSpanId === undefined ? {} : { parentSpanId, parentIsRemote: first }),
      ...(this.#tracestate === null ? {} : { tracestate: this.#tracestate }),
      name: `process ${this.#definition.name}`,
      kind: first && this.#parent !== undefined ? 'consumer' : 'internal',
      startedAt: this.#startedAt,
      endedAt: Math.max(this.#startedAt, at),
      attributes: {
        'baton.process.id': this.id,
        'baton.definition.name': this.#definition.name,
        'baton.definition.version': this.#definition.version,
        'baton.process.status': type.slice('Process'.length).toLowerCase(),
        ...(this.#executor === '' ? {} : { 'baton.executor.id': this.#executor }),
        ...(this.#takeovers === 0 ? {} : { 'baton.process.takeovers': this.#takeovers }),
        ...(first ? {} : { 'baton.process.run': this.#run }),
        ...(error === undefined ? {} : { 'error.type': error }),
      },
      ...(error === undefined ? {} : { error: facts.path === undefined ? error : `${error} at ${facts.path}` }),
      events: this.#events,
      droppedEvents: this.#droppedEvents,
      links: [],
    });
    this.#events = [];
    this.#droppedEvents = 0;
    this.#takeovers = 0;
  }

  /** On the operator that waits for it; what concerns no open attempt, on the process. */
  #note(type: string, facts: Facts, at: number): void {
    const open = facts.path === undefined ? undefined : this.#open.get(facts.path);
    const event = { name: spanEventName(type), at, attributes: attributesOf(facts) };
    if (open !== undefined) {
      if (open.events.length < mostEvents) open.events.push(event);
      else open.droppedEvents += 1;
      if (!type.startsWith('Incident')) return;
    }
    if (this.#events.length < mostEvents) this.#events.push(event);
    else this.#droppedEvents += 1;
  }
}

/** Of these the attempt is over and the operator is not. */
const between = new Set(['OperatorRetryScheduled', 'OperatorRepeatScheduled', 'OperatorOutcomeUnknown']);

function errorOf(type: string, facts: Facts): string | undefined {
  switch (type) {
    case 'OperatorFailed':
      return codeOf(facts.error?.code);
    case 'OperatorRetryScheduled':
      // Without an error it never began, or a person asked for it again.
      return codeOf(facts.error?.code ?? 'not-begun');
    case 'OperatorOutcomeUnknown':
      return facts.lost === true ? 'executor-lost' : 'outcome-unknown';
    case 'OperatorCancelled':
      return 'cancelled';
    default:
      return undefined;
  }
}

/** Codes are words; whatever else a definition made of one is not shown. */
const codeOf = (code: string | undefined): string =>
  code !== undefined && /^[A-Za-z0-9_.-]{1,64}$/.test(code) ? code : 'failed';

/** The minute that was read last, and when it was: thousands of times in a row lie in the same. */
let minute = '';
let minuteAt = 0;

function timeOf(iso: string | undefined): number | undefined {
  if (iso === undefined) return undefined;
  const isUsual = iso.length === '2026-01-01T00:00:00.000Z'.length && iso.endsWith('Z');
  if (isUsual && minute !== '' && iso.startsWith(minute)) {
    const seconds = Number(iso.slice(minute.length, -1));
    if (!Number.isNaN(seconds)) return minuteAt + Math.round(seconds * 1000);
  }
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return undefined;
  if (isUsual) {
    minute = iso.slice(0, '2026-01-01T00:00:'.length);
    minuteAt = at - (at % 60_000);
  }
  return at;
}

/** `process.taken-over`, `process.task-assigned`: as the event is called on the bus. */
export function spanEventName(type: string): string {
  let name = names.get(type);
  if (name === undefined) {
    const words = type.replace(/^Process(?=[A-Z])/, '').replace(/(?<=[a-z])(?=[A-Z])/g, '-');
    name = `process.${words.toLowerCase()}`;
    names.set(type, name);
  }
  return name;
}
const names = new Map<string, string>();

function attributesOf(facts: Facts): SpanEvent['attributes'] {
  const found: SpanEvent['attributes'] = {};
  const set = (name: string, value: string | number | string[] | undefined): void => {
    if (value !== undefined) found[name] = value;
  };
  const { waitsFor } = facts;
  set('baton.operator.path', facts.path);
  set('baton.operator.attempt', facts.attempt);
  set('baton.executor.id', facts.executor);
  set('baton.executor.lost', facts.from);
  set('baton.operators.passed_over', facts.operatorsPassedOver);
  set('baton.operator.waits_for', Array.isArray(waitsFor) ? waitsFor.slice(0, 16) : waitsFor?.kind);
  set('baton.task.id', facts.taskId);
  set('baton.incident.id', facts.incidentId);
  set('baton.incident.action', facts.action);
  set('baton.child.id', facts.child);
  set('baton.child.status', facts.child === undefined ? undefined : facts.status);
  set('baton.kind', facts.kind ?? facts.timer ?? facts.cause);
  return found;
}

/** Where the path around this one ends: before a `/`, a `[KEY]` or a `#ITERATION`. */
function lastBorder(path: string, end: number): number {
  return Math.max(path.lastIndexOf('/', end - 1), path.lastIndexOf('[', end - 1), path.lastIndexOf('#', end - 1));
}
