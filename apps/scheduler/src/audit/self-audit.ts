import {
  type CellIds,
  type CommandHandler,
  type EventLog,
  rebuildStreams,
  uuidv7,
  type WakeUp,
} from '@baton/event-log';
import { evolve, initialState, type ProcessState } from '@baton/process';
import { type Logger, type LogPool, type Meter, schedulerActor } from '../scheduler.ports.js';
import { auditLooks, noteFinding, queueAgain } from '../sql/self-audit.sql.js';

export interface SelfAuditOptions {
  pool: LogPool;
  ids: CellIds;
  log: Pick<EventLog, 'read' | 'append'>;
  commands: Pick<CommandHandler, 'handle'>;
  wakeUp: Pick<WakeUp, 'notify'>;
  logger: Logger;
  meter: Meter;
  /** Open processes of one look. */
  batch: number;
  /** Streams of the log looked at in one pass, beside the open processes of the list. */
  streamsPerPass?: number;
  /** How long a lost owner may stand before that is a finding. */
  takeoverMs: number;
}

interface Suspect {
  stream_id: string;
  version: number | null;
  owner: string | null;
  owner_status: string | null;
  found_before: boolean;
  missing: 'no-head' | 'head-differs' | 'owner-lost' | 'nothing-moves-it';
}
/** What a part of the walk is like; without a suspect it is one row of nothing else. */
type Looked = (Suspect | { stream_id: null }) & { last: string | null; n: number };
export type FindingKind = Suspect['missing'] | 'no-queue-place';
/** Three seconds of the server's time at most; with a pass every 20 s a log of 200,000 streams is gone through in a minute. */
const streamsPerPass = 70_000;
const first = '00000000-0000-0000-0000-000000000000';

/**
 * Job: finds open processes that nothing would ever drive on, and repairs them (design 6).
 * Boundary: goes in batches along an index through the open processes of the list, and through the streams of the log
 * itself, whatever a list says; loads only those in which something is missing.
 * Invariants:
 * 1. Every open process has an owner that is not over, a due or future timer, a queue place, or something awaited: an
 *    open task, incident, message, job or child. What has none of them is a finding, unless it is paused.
 * 2. A suspicion is confirmed from the log at the version at which it arose; a process that moved meanwhile is none.
 * 3. Every finding is counted, stored and repaired by an event (or its queue place), never by changing the log.
 * 4. What is found a second time within ten minutes becomes an incident: repairing did not help.
 * 5. The streams are gone through in turn, `streamsPerPass` in each pass: with no more than that many in the log, what no
 *    list knows is found within one pass, too; with more, within as many as it takes to come around.
 */
export class SelfAudit {
  /** Where the walk through the log goes on. */
  #cursor = first;
  constructor(private readonly options: SelfAuditOptions) {}

  /** One pass over all open processes of the list, and the next part of the log. Returns how many findings there were. */
  async pass(signal: AbortSignal): Promise<number> {
    const examined = new Set<string>();
    const ofTheList = await this.#walk('listed', first, Number.POSITIVE_INFINITY, examined, signal);
    const begin = this.#cursor;
    const ofTheLog = await this.#walk(
      'ofTheLog',
      begin,
      this.options.streamsPerPass ?? streamsPerPass,
      examined,
      signal,
    );
    this.#cursor = ofTheLog.last ?? first;
    return ofTheList.findings + ofTheLog.findings;
  }

  /** `last`: null when it came to the end. */
  async #walk(
    look: keyof typeof auditLooks,
    from: string,
    most: number,
    examined: Set<string>,
    signal: AbortSignal,
  ): Promise<{ findings: number; last: string | null }> {
    const { pool, batch, takeoverMs } = this.options;
    let findings = 0;
    let after = from;
    for (let seen = 0; seen < most && !signal.aborted; seen += batch) {
      const { rows } = await pool.query<Looked>(auditLooks[look], [after, batch, takeoverMs]);
      for (const suspect of rows) {
        if (suspect.stream_id === null || examined.has(suspect.stream_id)) continue;
        examined.add(suspect.stream_id);
        if (await this.#examine(suspect)) findings += 1;
      }
      const { last, n } = rows[0]!;
      if (last === null || n < batch) return { findings, last: null };
      after = last;
    }
    return { findings, last: after };
  }

  async #examine(suspect: Suspect): Promise<boolean> {
    const stream = this.options.ids.id(suspect.stream_id);
    if (suspect.missing === 'no-head' || suspect.missing === 'head-differs') {
      const { processes } = await rebuildStreams(this.options.pool, this.options.ids.cell, [suspect.stream_id]);
      const what = suspect.version === null ? 'It has no head row' : `Its head row says version ${suspect.version}`;
      const detail = processes > 0 ? `${what}; it was made again from the log.` : `${what}, and no event.`;
      await this.#note(suspect, suspect.missing, detail, processes > 0);
      this.options.wakeUp.notify('runnable');
      return true;
    }
    if (suspect.missing === 'owner-lost') {
      this.options.wakeUp.notify('cluster');
      const detail = `Its owner ${suspect.owner} is ${suspect.owner_status ?? 'unknown'}, and nobody has taken it over.`;
      if (!suspect.found_before) await this.#note(suspect, 'owner-lost', detail, false);
      return !suspect.found_before;
    }
    let state: ProcessState = initialState(stream);
    let queuedBy = 1;
    for (const event of await this.options.log.read(stream)) {
      state = evolve(state, event);
      if (event.type === 'ProcessRetried') queuedBy = event.sequence;
    }
    if (state.version !== suspect.version || state.end !== null || state.paused || awaitsElsewhere(state)) return false;
    await this.#repair(suspect, state, queuedBy);
    return true;
  }

  async #repair(suspect: Suspect, state: ProcessState, queuedBy: number): Promise<void> {
    const { pool, log, commands, wakeUp } = this.options;
    if (!state.scheduled && state.cancel === null) {
      const { rowCount } = await pool.query(queueAgain, [suspect.stream_id, suspect.version, queuedBy]);
      await this.#note(
        suspect,
        'no-queue-place',
        'It was requested and stood in no queue; it was put back.',
        rowCount === 1,
      );
      wakeUp.notify('queue');
      return;
    }
    const waits = [...state.operators.values()].filter(({ status }) => status === 'waiting').map(({ path }) => path);
    const detail = `Nothing would drive it on${waits.length > 0 ? `; waiting operators: ${waits.slice(0, 10).join(', ')}` : ''}.`;
    if (suspect.found_before) {
      const reason = `The self-audit found it again. ${detail}`;
      const result = await commands.handle(state.id, { kind: 'raiseIncident', incidentKind: 'self-audit', reason });
      await this.#note(suspect, 'nothing-moves-it', `${detail} An incident was raised.`, result.status === 'done');
      return;
    }
    const data = { executor: schedulerActor.id, reason: `self-audit: ${detail}` };
    const [result] = await log.append([
      {
        stream: state.id,
        expected: state.version,
        owner: null,
        events: [{ id: uuidv7(), event: { type: 'ProcessReleased', data }, metadata: { actor: schedulerActor.id } }],
      },
    ]);
    if (result?.status !== 'appended') return;
    await this.#note(suspect, 'nothing-moves-it', `${detail} It was made runnable.`, true);
    wakeUp.notify('runnable');
  }

  async #note({ stream_id }: Suspect, kind: FindingKind, detail: string, repaired: boolean): Promise<void> {
    const { pool, logger, meter, ids } = this.options;
    meter.count('baton.self-audit.findings', 1, { kind });
    logger.error(
      { process: ids.id(stream_id), kind, detail, repaired },
      'the self-audit found a process that is stuck',
    );
    await pool.query(noteFinding, [stream_id, kind, detail, repaired]);
  }
}

/** Waits whose other side keeps no row here: a lock or a window is polled, a command or a callback comes from outside. */
function awaitsElsewhere(state: ProcessState): boolean {
  const kinds = new Set(['lock', 'window', 'command', 'callback']);
  return [...state.operators.values()].some(
    ({ status, waitsFor }) => status === 'waiting' && waitsFor !== undefined && kinds.has(waitsFor.kind),
  );
}
