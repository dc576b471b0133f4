import type { RecordedEvent } from '../events/process-event.types.js';

/**
 * Compares what the log says with what the world saw: a ledger of effects that lives outside Baton.
 * It judges the promise (design 1, 2 "Beginning an effect"); chaos, demo and drill print its result.
 */
export interface LedgerEntry {
  process: string;
  path: string;
  attempt: number;
  key: string;
  /** ms since 1970, on the database's clock, when the effect began. */
  at: number;
}

export interface EffectAudit {
  effects: number;
  /** Effects of an operator that began after the log says it completed. Must be none. */
  begunAfterCompletion: LedgerEntry[];
  /** Effects that began after a later attempt of their operator had started. Must be none. */
  begunAfterLaterStart: LedgerEntry[];
  /** Effects that began after the end of their process. Must be none. */
  begunAfterEnd: LedgerEntry[];
  /** Effects without a committed start of that attempt before them. Must be none. */
  begunBeforeStart: LedgerEntry[];
  /** The same attempt began more than once. Must be none. */
  begunTwice: LedgerEntry[];
  /** Began after another executor had taken the process over, before a later attempt: cut off, cannot be called back. Counted. */
  late: LedgerEntry[];
}

interface AttemptTimes {
  started?: number;
}

const endTypes = new Set(['ProcessCompleted', 'ProcessFailed', 'ProcessCancelled']);

/** All events of one process, in order, against the ledger's entries of that process. */
export function auditEffects(events: readonly RecordedEvent[], ledger: readonly LedgerEntry[]): EffectAudit {
  const attempts = new Map<string, Map<number, AttemptTimes>>();
  const completed = new Map<string, { attempt: number; at: number }[]>();
  const ends: { at: number; reopened: number }[] = [];
  const takeovers: { at: number; from: string }[] = [];
  const startedBy = new Map<string, string>();
  for (const event of events) {
    const at = Date.parse(event.recordedAt);
    if (event.type === 'OperatorStarted') {
      const { path, attempt, executor } = event.data;
      const times = attempts.get(path) ?? new Map<number, AttemptTimes>();
      times.set(attempt, { started: at });
      attempts.set(path, times);
      startedBy.set(`${path}#${attempt}`, executor);
    } else if (event.type === 'OperatorCompleted') {
      const list = completed.get(event.data.path) ?? [];
      list.push({ attempt: event.data.attempt, at });
      completed.set(event.data.path, list);
    } else if (event.type === 'ProcessTakenOver') {
      takeovers.push({ at, from: event.data.from });
    } else if (event.type === 'ProcessRetried') {
      const last = ends.at(-1);
      if (last) last.reopened = at;
    } else if (endTypes.has(event.type)) {
      ends.push({ at, reopened: Number.POSITIVE_INFINITY });
    }
  }
  const audit: EffectAudit = {
    effects: ledger.length,
    begunAfterCompletion: [],
    begunAfterLaterStart: [],
    begunAfterEnd: [],
    begunBeforeStart: [],
    begunTwice: [],
    late: [],
  };
  const seen = new Set<string>();
  for (const entry of ledger) {
    const id = `${entry.path}#${entry.attempt}`;
    if (seen.has(id)) audit.begunTwice.push(entry);
    seen.add(id);
    const times = attempts.get(entry.path);
    const own = times?.get(entry.attempt);
    if (own?.started === undefined || entry.at < own.started) audit.begunBeforeStart.push(entry);
    // A completion of an earlier attempt can only be one of an earlier iteration; of this or a later one it forbids the effect.
    if (completed.get(entry.path)?.some((c) => c.attempt >= entry.attempt && c.at < entry.at))
      audit.begunAfterCompletion.push(entry);
    else if ([...(times ?? [])].some(([n, t]) => n > entry.attempt && t.started !== undefined && t.started < entry.at))
      audit.begunAfterLaterStart.push(entry);
    else if (ends.some((e) => e.at < entry.at && entry.at < e.reopened)) audit.begunAfterEnd.push(entry);
    else if (takeovers.some((t) => t.at < entry.at && t.from === startedBy.get(id))) audit.late.push(entry);
  }
  return audit;
}

/** True when no promise is broken; late effects are allowed, and counted. */
export function keepsPromise(audit: EffectAudit): boolean {
  return (
    audit.begunAfterCompletion.length === 0 &&
    audit.begunAfterLaterStart.length === 0 &&
    audit.begunAfterEnd.length === 0 &&
    audit.begunBeforeStart.length === 0 &&
    audit.begunTwice.length === 0
  );
}
