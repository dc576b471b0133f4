import type { Append } from '@baton/event-log';
import { evolve, headChangeOf, initialState, type ProcessState, type RecordedEvent } from '@baton/process';

export interface EffectEntry {
  stream: string;
  path: string;
  attempt: number;
  executor: string;
  at: number;
}

interface OperatorRecord {
  lastAttempt: number;
  completedAttempt: number | null;
  begun: Set<number>;
  dueAt: number | null;
  startsWaiting: number;
  unknownAttempts: Set<number>;
}

interface StreamRecord {
  events: RecordedEvent[];
  owner: string | null;
  ended: boolean;
  operators: Map<string, OperatorRecord>;
  executorOf: Map<string, string>;
  state: ProcessState;
  live: { state: ProcessState; version: number };
  late: Map<string, number>;
}

const driverEvents = new Set<string>([
  'ProcessParked',
  'ProcessReleased',
  'ProcessCompleted',
  'ProcessFailed',
  'ProcessCancelled',
  'OperatorStarted',
  'OperatorWaiting',
  'OperatorCompleted',
  'OperatorFailed',
  'OperatorSkipped',
  'OperatorNotTaken',
  'OperatorCancelled',
  'OperatorRetryScheduled',
  'OperatorRepeatScheduled',
  'OperatorOutcomeUnknown',
  'TaskAssigned',
  'TimerFired',
  'CompensationStarted',
  'FinallyStarted',
]);
const claims = new Set<string>(['ProcessStarted', 'ProcessClaimed', 'ProcessTakenOver']);
const ends = new Set<string>(['ProcessCompleted', 'ProcessFailed', 'ProcessCancelled']);

/**
 * Judges every event and every effect at the moment it happens (design 6, "simulation"; numbers of design/model/Process.tla).
 * S1. Versions are gapless; only the owner at that version writes a driver's events; a claim finds nobody, a takeover the one it names (I1).
 * S2. An operator completes once, and is never started after that; attempts only rise (I2, I8).
 * S3. An effect begins only after its OperatorStarted is committed, once per attempt (I3, I4).
 * S4. No effect begins after its operator completed, beside a later attempt, or after the end (I6, I16).
 * S5. A late effect was started, durably, before the takeover; at most one per operator and incarnation (I7).
 * S6. Nothing follows the end but a person's retry (I11).
 * S7. A delay is over no sooner than it was due, and is not begun again.
 * S8. What nobody knows is never recorded as a known failure.
 * S9. The live state of a driver equals the replay of its log, after every append.
 */
export class Checker {
  readonly streams = new Map<string, StreamRecord>();
  readonly violations: string[] = [];
  readonly ledger: EffectEntry[] = [];
  lateEffects = 0;
  takeovers = 0;
  events = 0;

  constructor(private readonly now: () => number) {}

  violate(rule: string, text: string): void {
    if (this.violations.length < 20) this.violations.push(`${rule}: ${text}`);
  }

  /** An append that the log has executed. */
  appended(append: Append, version: number): void {
    const record = this.streams.get(append.stream) ?? newRecord(append.stream);
    this.streams.set(append.stream, record);
    const before = version - append.events.length;
    if (before !== record.events.length)
      this.violate('S1', `${append.stream}: version ${before + 1} follows ${record.events.length}`);
    for (const { id, event, metadata } of append.events) {
      const recorded: RecordedEvent = {
        ...event,
        id,
        stream: append.stream,
        sequence: record.events.length + 1,
        recordedAt: new Date(this.now()).toISOString(),
        schemaVersion: 1,
        logIncarnation: 1,
        metadata,
      };
      this.judge(record, recorded);
      record.events.push(recorded);
      evolve(record.state, recorded);
      this.events += 1;
    }
  }

  /** S9 */
  live(stream: string, version: number, state: ProcessState): void {
    const record = this.streams.get(stream);
    if (record === undefined) return;
    if (record.live.version > version) record.live = { state: initialState(stream), version: 0 };
    while (record.live.version < version) {
      const event = record.events[record.live.version];
      if (event === undefined) {
        this.violate('S9', `${stream}: version ${version} is not in the log`);
        return;
      }
      evolve(record.live.state, event);
      record.live.version += 1;
    }
    const found = difference(state, record.live.state, 'state');
    if (found !== null) this.violate('S9', `${stream} at ${version}: ${found}`);
  }

  /** S3, S4, S5: called in the very step that begins an effect. */
  effect(entry: EffectEntry): void {
    this.ledger.push(entry);
    const record = this.streams.get(entry.stream);
    const operator = record?.operators.get(entry.path);
    const name = `${entry.stream} ${entry.path}#${entry.attempt} by ${entry.executor}`;
    const startedBy = record?.executorOf.get(`${entry.path}#${entry.attempt}`);
    if (record === undefined || operator === undefined || startedBy !== entry.executor) {
      this.violate('S3', `${name} began before its start was committed`);
      return;
    }
    if (operator.begun.has(entry.attempt)) this.violate('S3', `${name} began twice`);
    operator.begun.add(entry.attempt);
    if (operator.completedAttempt !== null && operator.completedAttempt >= entry.attempt)
      this.violate('S4', `${name} began after its completion`);
    if (operator.lastAttempt > entry.attempt)
      this.violate('S4', `${name} began beside attempt ${operator.lastAttempt}`);
    if (record.ended) this.violate('S4', `${name} began after the end`);
    if (record.owner === entry.executor) return;
    this.lateEffects += 1;
    const key = `${entry.path} ${entry.executor}`;
    const count = (record.late.get(key) ?? 0) + 1;
    record.late.set(key, count);
    if (count > 1) this.violate('S5', `${name}: late effect ${count} of one operator and incarnation`);
  }

  /** The world knows that nobody knows. */
  unknown(stream: string, path: string, attempt: number): void {
    this.streams.get(stream)?.operators.get(path)?.unknownAttempts.add(attempt);
  }

  private judge(record: StreamRecord, event: RecordedEvent): void {
    const at = `${event.stream} ${event.sequence} ${event.type}`;
    if (record.ended && event.type !== 'ProcessRetried') this.violate('S6', `${at} after the end`);
    this.judgeOwner(record, event, at);
    this.judgeOperator(record, event, at);
    if (ends.has(event.type)) record.ended = true;
    if (event.type === 'ProcessRetried') record.ended = false;
    const { owner } = headChangeOf(event);
    if (owner !== undefined) record.owner = owner;
  }

  private judgeOwner(record: StreamRecord, event: RecordedEvent, at: string): void {
    // The event says it, or its metadata where the event does not.
    const by = event.metadata.executor ?? ('executor' in event.data ? event.data.executor : undefined);
    if (claims.has(event.type)) {
      const expected = event.type === 'ProcessTakenOver' ? event.data.from : null;
      if (record.owner !== expected) this.violate('S1', `${at}: the owner was ${record.owner}, not ${expected}`);
      if (event.type === 'ProcessTakenOver') this.takeovers += 1;
    } else if (event.type === 'ProcessParked' && by === undefined && record.events.at(-1)?.type === 'IncidentRaised') {
      // A process that nobody may drive on is parked by the command that raises its incident.
    } else if (driverEvents.has(event.type) && record.owner !== by)
      this.violate('S1', `${at}: written by ${by}, owned by ${record.owner}`);
  }

  private judgeOperator(record: StreamRecord, event: RecordedEvent, at: string): void {
    switch (event.type) {
      case 'OperatorStarted': {
        const { path, attempt } = event.data;
        const operator = operatorOf(record, path);
        if (operator.completedAttempt !== null) this.violate('S2', `${at} ${path} was completed before`);
        if (attempt <= operator.lastAttempt)
          this.violate('S2', `${at} ${path}#${attempt} after #${operator.lastAttempt}`);
        operator.lastAttempt = Math.max(operator.lastAttempt, attempt);
        record.executorOf.set(`${path}#${attempt}`, event.data.executor);
        if (event.data.waitsFor?.kind === 'timer') {
          operator.startsWaiting += 1;
          operator.dueAt = Date.parse(event.data.waitsFor.dueAt);
          if (operator.startsWaiting > 1) this.violate('S7', `${at} ${path}: its delay began again`);
        }
        return;
      }
      case 'OperatorCompleted': {
        const operator = operatorOf(record, event.data.path);
        if (operator.completedAttempt !== null) this.violate('S2', `${at} ${event.data.path} completed a second time`);
        operator.completedAttempt = event.data.attempt;
        if (operator.dueAt !== null && this.now() < operator.dueAt)
          this.violate('S7', `${at} ${event.data.path} ${operator.dueAt - this.now()} ms too soon`);
        return;
      }
      case 'OperatorFailed':
      case 'OperatorRetryScheduled': {
        const { path, attempt } = event.data;
        const isKnown = event.type === 'OperatorRetryScheduled' ? event.data.counted !== false : true;
        const code = event.data.error?.code;
        if (isKnown && code !== 'unknown' && operatorOf(record, path).unknownAttempts.has(attempt))
          this.violate('S8', `${at} ${path}#${attempt}: its outcome is unknown, recorded as a known failure`);
        return;
      }
      case 'OperatorOutcomeUnknown':
        // Each unknown outcome is verified anew.
        operatorOf(record, `${event.data.path}/verify`).completedAttempt = null;
        return;
      case 'OperatorRepeatScheduled': {
        const operator = operatorOf(record, event.data.path);
        operator.startsWaiting = 0;
        return;
      }
      case 'ProcessRetried':
        for (const operator of record.operators.values()) operator.completedAttempt = null;
        return;
      default:
        return;
    }
  }
}

function newRecord(stream: string): StreamRecord {
  return {
    events: [],
    owner: null,
    ended: false,
    operators: new Map(),
    executorOf: new Map(),
    state: initialState(stream),
    live: { state: initialState(stream), version: 0 },
    late: new Map(),
  };
}

function operatorOf(record: StreamRecord, path: string): OperatorRecord {
  const known = record.operators.get(path);
  if (known !== undefined) return known;
  const operator: OperatorRecord = {
    lastAttempt: 0,
    completedAttempt: null,
    begun: new Set(),
    dueAt: null,
    startsWaiting: 0,
    unknownAttempts: new Set(),
  };
  record.operators.set(path, operator);
  return operator;
}

/** Where two states differ. What is for people only (times as recorded), and what decide keeps for itself, is not their value. */
function difference(live: unknown, replay: unknown, at: string): string | null {
  if (live === replay) return null;
  if (live instanceof Map && replay instanceof Map) {
    if (live.size !== replay.size) return `${at}: ${live.size} entries, replayed ${replay.size}`;
    for (const [key, value] of live) {
      const found = difference(value, replay.get(key), `${at}.${String(key)}`);
      if (found !== null) return found;
    }
    return null;
  }
  if (live instanceof Set && replay instanceof Set) return sameMembers(live, replay) ? null : at;
  if (typeof live !== 'object' || typeof replay !== 'object' || live === null || replay === null)
    return `${at}: live ${JSON.stringify(live)}, replayed ${JSON.stringify(replay)}`;
  const left = live as Record<string, unknown>;
  const right = replay as Record<string, unknown>;
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (at === 'state' && (key === 'times' || key === 'plan')) continue;
    const found = difference(left[key], right[key], `${at}.${key}`);
    if (found !== null) return found;
  }
  return null;
}

function sameMembers(left: ReadonlySet<unknown>, right: ReadonlySet<unknown>): boolean {
  return left.size === right.size && [...left].every((member) => right.has(member));
}
