import { auditEffects, type EffectAudit, type LedgerEntry, type RecordedEvent } from '@baton/process';
import type { TopicReport } from './topic.watcher.js';
import type { Takeover } from './watch.state.js';

/** Everything the demo judges at its end: the log, the ledger of the world, and what it did itself. */
export interface PromiseReport {
  accepted: number;
  ended: { completed: number; failed: number; cancelled: number };
  childProcesses: number;
  notEnded: string[];
  takeovers: { killed: number; frozen: number };
  takeoverMs: { killed: number[]; frozen: number[] };
  eventsFolded: number;
  operatorsPassedOver: number;
  executedAgain: string[];
  begunWrongly: string[];
  late: number;
  effects: number;
  approvalsTwice: string[];
  delaysRestarted: string[];
  rowsTwice: string[];
  /** Where events go over Kafka. */
  topic?: TopicReport;
}

export interface Sabotage {
  killed: { executor: string; at: number } | null;
  frozen: { executor: string; at: number } | null;
}

export function judge(input: {
  accepted: readonly string[];
  streams: ReadonlyMap<string, RecordedEvent[]>;
  ledger: readonly LedgerEntry[];
  rows: readonly { process: string; rows: number }[];
  takeovers: readonly Takeover[];
  sabotage: Sabotage;
}): PromiseReport {
  const report: PromiseReport = {
    accepted: input.accepted.length,
    ended: { completed: 0, failed: 0, cancelled: 0 },
    childProcesses: 0,
    notEnded: [],
    takeovers: { killed: 0, frozen: 0 },
    takeoverMs: { killed: [], frozen: [] },
    eventsFolded: 0,
    operatorsPassedOver: 0,
    executedAgain: [],
    begunWrongly: [],
    late: 0,
    effects: input.ledger.length,
    approvalsTwice: [],
    delaysRestarted: [],
    rowsTwice: input.rows.filter((r) => r.rows !== 1).map((r) => `${r.process}: ${r.rows} rows`),
  };
  const asked = new Set(input.accepted);
  const ledgerOf = Map.groupBy(input.ledger, (entry) => entry.process);
  for (const [id, events] of input.streams) {
    if (!asked.has(id)) report.childProcesses++;
    judgeProcess(
      id,
      events,
      datedByDeath(events, ledgerOf.get(id) ?? [], input.sabotage.killed),
      asked.has(id),
      report,
    );
  }
  for (const id of asked) if (!input.streams.has(id)) report.notEnded.push(`${id}: not in the log`);
  for (const entry of input.ledger)
    if (!input.streams.has(entry.process)) report.begunWrongly.push(`${entry.process}: an effect of no known process`);
  for (const takeover of input.takeovers) {
    report.eventsFolded += takeover.eventsFolded;
    report.operatorsPassedOver += takeover.operatorsPassedOver;
    for (const kind of ['killed', 'frozen'] as const)
      if (input.sabotage[kind]?.executor === takeover.from) {
        report.takeovers[kind]++;
        report.takeoverMs[kind].push(takeover.at - input.sabotage[kind].at);
      }
  }
  return report;
}

/**
 * The ledger dates an effect by its arrival. What a killed executor had sent may arrive a moment after its death; it
 * began before.
 */
function datedByDeath(
  events: readonly RecordedEvent[],
  ledger: readonly LedgerEntry[],
  killed: Sabotage['killed'],
): readonly LedgerEntry[] {
  if (!killed) return ledger;
  const ofTheKilled = new Set<string>();
  for (const event of events)
    if (event.type === 'OperatorStarted' && event.data.executor === killed.executor)
      ofTheKilled.add(`${event.data.path}#${event.data.attempt}`);
  return ledger.map((entry) =>
    ofTheKilled.has(`${entry.path}#${entry.attempt}`) ? { ...entry, at: Math.min(entry.at, killed.at) } : entry,
  );
}

function judgeProcess(
  id: string,
  events: readonly RecordedEvent[],
  ledger: readonly LedgerEntry[],
  requested: boolean,
  report: PromiseReport,
): void {
  const completed = new Set<string>();
  const assigned = new Set<string>();
  const delays = new Map<string, string>();
  let ended = 0;
  for (const event of events) {
    if (event.type === 'OperatorCompleted') {
      if (completed.has(event.data.path)) report.executedAgain.push(`${id} ${event.data.path} completed twice`);
      completed.add(event.data.path);
    } else if (event.type === 'OperatorStarted') {
      if (completed.has(event.data.path))
        report.executedAgain.push(`${id} ${event.data.path} started after completion`);
      if (event.data.waitsFor?.kind === 'timer') {
        if (delays.has(event.data.path)) report.delaysRestarted.push(`${id} ${event.data.path}`);
        delays.set(event.data.path, event.data.waitsFor.dueAt);
      }
    } else if (event.type === 'TaskAssigned') {
      if (assigned.has(event.data.path)) report.approvalsTwice.push(`${id} ${event.data.path}`);
      assigned.add(event.data.path);
    } else if (
      event.type === 'ProcessCompleted' ||
      event.type === 'ProcessFailed' ||
      event.type === 'ProcessCancelled'
    ) {
      ended++;
      const status = event.type.slice('Process'.length).toLowerCase() as 'completed' | 'failed' | 'cancelled';
      if (requested) report.ended[status]++;
    }
  }
  if (ended !== 1) report.notEnded.push(`${id}: ended ${ended} times`);
  const audit = auditEffects(events, ledger);
  report.late += audit.late.length;
  for (const kind of [
    'begunAfterCompletion',
    'begunAfterLaterStart',
    'begunAfterEnd',
    'begunBeforeStart',
    'begunTwice',
  ] satisfies (keyof EffectAudit)[])
    for (const entry of audit[kind]) report.begunWrongly.push(`${id} ${entry.path}#${entry.attempt}: ${kind}`);
}

/** The broken promises, in words; none when all is well. */
export function broken(report: PromiseReport): string[] {
  const list: string[] = [];
  const check = (what: string, found: readonly string[]) => {
    if (found.length > 0) list.push(`${what}: ${found.length} (${found.slice(0, 3).join('; ')})`);
  };
  check('requests that did not end exactly once', report.notEnded);
  check('completed operators executed again', report.executedAgain);
  check('effects begun that must not have begun', report.begunWrongly);
  check('approvals triggered twice', report.approvalsTwice);
  check('delays restarted', report.delaysRestarted);
  check('rows of an exactly-once statement not written exactly once', report.rowsTwice);
  if (report.topic) {
    check('events of the log that a subscriber over Kafka did not get', report.topic.missing);
    check('events that a subscriber over Kafka got out of order', report.topic.outOfOrder);
  }
  if (report.takeovers.killed === 0)
    list.push('nothing was taken over from the executor that was killed: the demo showed nothing');
  if (report.takeovers.frozen === 0)
    list.push('nothing was taken over from the executor that was frozen: the demo showed nothing');
  if (report.effects === 0) list.push('the ledger is empty: nothing was checked');
  return list;
}

export function print(report: PromiseReport): string {
  const ms = (list: number[]) => {
    if (list.length === 0) return '–';
    const sorted = [...list].sort((a, b) => a - b);
    return `${sorted[sorted.length >> 1]} / ${sorted.at(-1)} ms`;
  };
  const rows: [string, string][] = [
    [
      'requests accepted / ended',
      `${report.accepted} / ${report.ended.completed + report.ended.failed + report.ended.cancelled}   (completed ${report.ended.completed}, failed and undone ${report.ended.failed})`,
    ],
    ['child processes ended', String(report.childProcesses)],
    [
      'processes taken over',
      `${report.takeovers.killed + report.takeovers.frozen}   (from the killed ${report.takeovers.killed}, from the frozen ${report.takeovers.frozen})`,
    ],
    ['takeover time p50 / max, killed', ms(report.takeoverMs.killed)],
    ['takeover time p50 / max, frozen', `${ms(report.takeoverMs.frozen)}   (from the freeze; the lease is waited for)`],
    [
      'events folded at takeovers',
      `${report.eventsFolded}   (${report.operatorsPassedOver} completed operators passed over)`,
    ],
    ['effects in the ledger', String(report.effects)],
    ['completed operators executed again', String(report.executedAgain.length)],
    ['effects begun after completion, a later start, or the end', String(report.begunWrongly.length)],
    ['late effects of attempts that were cut off', `${report.late}   (counted, cannot be called back)`],
    ['approvals triggered twice', String(report.approvalsTwice.length)],
    ['delays restarted', String(report.delaysRestarted.length)],
    ['rows not written exactly once', String(report.rowsTwice.length)],
    ...(report.topic ? topicRows(report.topic) : []),
  ];
  const pad = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(pad)}   ${value}`).join('\n');
}

function topicRows({ events, repetitions, missing, outOfOrder }: TopicReport): [string, string][] {
  return [
    ['events received over Kafka', `${events}   (repetitions ${repetitions})`],
    ['events missing or out of order over Kafka', `${missing.length} / ${outOfOrder.length}`],
  ];
}
