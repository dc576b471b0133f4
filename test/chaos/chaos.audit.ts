import { auditEffects, type RecordedEvent } from '@baton/process';
import type { Effect, EffectLedger } from './effect.ledger.js';

/** What is judged: whom the world heard of, and what the log and the ledger outside hold. */
export interface AuditedCluster {
  readonly requested: readonly string[];
  readonly ledger: Pick<EffectLedger, 'entries' | 'of'>;
  streams(): Promise<string[]>;
  events(stream: string): Promise<RecordedEvent[]>;
}

export interface ChaosAudit {
  processes: number;
  /** What must be none, in words. */
  broken: string[];
  effects: number;
  lateEffects: number;
  takeovers: number;
  attemptsRepeated: number;
  passedOver: number;
  takeoverTimes: number[];
}

const ends = new Set(['ProcessCompleted', 'ProcessFailed', 'ProcessCancelled']);

/** Reads the whole log and the ledger outside, and judges both (design 6, "chaos"). */
export async function audit(cluster: AuditedCluster, deaths: ReadonlyMap<string, number>): Promise<ChaosAudit> {
  const result: ChaosAudit = {
    processes: 0,
    broken: [],
    effects: cluster.ledger.entries.length,
    lateEffects: 0,
    takeovers: 0,
    attemptsRepeated: 0,
    passedOver: 0,
    takeoverTimes: [],
  };
  const streams = await cluster.streams();
  const known = new Set(streams);
  for (const accepted of cluster.requested)
    if (!known.has(accepted)) result.broken.push(`${accepted} was accepted and is lost`);
  const firstTakeover = new Map<string, number[]>();
  for (const stream of streams) {
    result.processes += 1;
    const events = await cluster.events(stream);
    judge(stream, events, cluster, result);
    for (const event of events)
      if (event.type === 'ProcessTakenOver') {
        result.takeovers += 1;
        result.passedOver += event.data.operatorsPassedOver;
        const died = deaths.get(event.data.from);
        if (died !== undefined)
          firstTakeover.set(event.data.from, [
            ...(firstTakeover.get(event.data.from) ?? []),
            Date.parse(event.recordedAt) - died,
          ]);
      }
  }
  for (const times of firstTakeover.values()) result.takeoverTimes.push(...times);
  result.takeoverTimes.sort((a, b) => a - b);
  return result;
}

function judge(stream: string, events: readonly RecordedEvent[], cluster: AuditedCluster, result: ChaosAudit): void {
  const { broken } = result;
  const name = events[0]?.type === 'ProcessRequested' ? events[0].data.definition.name : 'unknown';
  const ended = events.filter((event) => ends.has(event.type));
  const expected = name === 'chaos/undone' ? 'ProcessFailed' : 'ProcessCompleted';
  if (ended.length !== 1) broken.push(`${stream} (${name}) has ${ended.length} ends; last ${events.at(-1)?.type}`);
  else if (ended[0]?.type !== expected)
    broken.push(`${stream} (${name}) ended with ${ended[0]?.type}: ${JSON.stringify(ended[0]?.data)}`);
  else if (events.at(-1) !== ended[0]) broken.push(`${stream}: something follows its end`);
  const ledger = cluster.ledger.of(stream);
  const effects = auditEffects(events, ledger);
  const late = lateEffects(events, ledger);
  result.lateEffects += late.length;
  for (const [rule, entries] of Object.entries({
    'began after its completion': effects.begunAfterCompletion,
    'began after a later start': effects.begunAfterLaterStart,
    'began after the end': effects.begunAfterEnd,
    'began before its start was committed': effects.begunBeforeStart,
    'began twice': effects.begunTwice,
  }))
    for (const { path, attempt, at } of entries)
      broken.push(`${stream} ${path}#${attempt} ${rule} (${new Date(at).toISOString()})`);
  judgeOperators(stream, events, result);
  const lateOf = new Map<string, number>();
  for (const { path, pid } of late) lateOf.set(`${path} ${pid}`, (lateOf.get(`${path} ${pid}`) ?? 0) + 1);
  for (const [key, count] of lateOf) if (count > 1) broken.push(`${stream} ${key}: ${count} late effects`);
  if (name === 'chaos/undone' && ended.length === 1 && ended[0]?.type === 'ProcessFailed')
    if (!ended[0].data.compensated.includes('work')) broken.push(`${stream}: its work was not undone`);
}

/** Begun in time, or when nobody could know, and heard of only after another had taken over: cut off, and counted. */
function lateEffects(events: readonly RecordedEvent[], ledger: readonly Effect[]): Effect[] {
  const arrived = ledger.map((entry) => ({ ...entry, at: entry.arrivedAt }));
  const { late, begunAfterCompletion, begunAfterLaterStart, begunAfterEnd } = auditEffects(events, arrived);
  const keys = new Set(
    [...late, ...begunAfterCompletion, ...begunAfterLaterStart, ...begunAfterEnd].map((e) => `${e.path}#${e.attempt}`),
  );
  return ledger.filter((entry) => keys.has(`${entry.path}#${entry.attempt}`));
}

/** Completed once and never started after that; tasks and delays begun once; versions without a gap. */
function judgeOperators(stream: string, events: readonly RecordedEvent[], result: ChaosAudit): void {
  const { broken } = result;
  const completed = new Set<string>();
  const waiting = new Map<string, number>();
  let answers = 0;
  events.forEach((event, index) => {
    if (event.sequence !== index + 1) broken.push(`${stream}: sequence ${event.sequence} at place ${index + 1}`);
    if (event.type === 'OperatorStarted') {
      const { path, attempt, waitsFor } = event.data;
      if (completed.has(path)) broken.push(`${stream} ${path} started again after its completion`);
      if (event.data.class === 'effect' && attempt > 1) result.attemptsRepeated += 1;
      if (waitsFor === undefined) return;
      waiting.set(path, (waiting.get(path) ?? 0) + 1);
      if ((waiting.get(path) ?? 0) > 1) broken.push(`${stream} ${path} (${waitsFor.kind}) was begun a second time`);
    } else if (event.type === 'OperatorOutcomeUnknown') completed.delete(`${event.data.path}/verify`);
    else if (event.type === 'OperatorCompleted') {
      if (completed.has(event.data.path)) broken.push(`${stream} ${event.data.path} completed a second time`);
      completed.add(event.data.path);
    } else if (event.type === 'TaskAnswered') answers += 1;
  });
  if (answers > 1) broken.push(`${stream}: its approval was answered ${answers} times`);
}
