import { type Append, BadEvent } from '@baton/event-log';
import {
  type CompiledDefinition,
  type DecideContext,
  type Decision,
  decide,
  type EffectOutcome,
  type EffectToBegin,
  evolve,
  isoTime,
  type ProcessEvent,
  snapshotText,
  stateShape,
} from '@baton/process';
import { type Clock, longestWait } from '../clock/clock.port.js';
import type { DatabaseClock } from '../clock/database.clock.js';
import { crashPoint } from '../crash/crash-points.js';
import type { ExecutorPorts, ExecutorSettings } from '../executor.ports.js';
import type { Detector } from '../lease/detector.js';
import type { LeaseKeeper } from '../lease/lease.keeper.js';
import { type Aftermath, endOf } from './aftermath.js';
import type { CertainAppend } from './certain.append.js';
import { driverMetadata } from './driver.metadata.js';
import { largeOutputs } from './large.outputs.js';
import { nextSnapshotAt } from './snapshot.pace.js';
import type { Folded, StreamLoader } from './stream.loader.js';
import { untilAnswered } from './until.answered.js';

export interface DriverPorts
  extends Pick<
    ExecutorPorts,
    | 'log'
    | 'effects'
    | 'commands'
    | 'snapshots'
    | 'newId'
    | 'random'
    | 'logger'
    | 'meter'
    | 'traceparent'
    | 'onCommitted'
  > {
  clock: Clock;
  databaseClock: DatabaseClock;
  certain: CertainAppend;
  loader: StreamLoader;
  aftermath: Aftermath;
  lease: Pick<LeaseKeeper, 'holds'>;
  detector: Pick<Detector, 'isOver' | 'whenOver'>;
}

/** A claim or a takeover: travels with the first append, so that both are one round trip. */
export interface Preface {
  event: ProcessEvent;
  /** Whose head it must be until then. */
  owner: string | null;
}

export type DriverEnd = 'ended' | 'parked' | 'released' | 'fenced' | 'given-up';

/**
 * Drives one process: fold, decide, append, and after the commit what the decision says.
 * Boundary: what is to be done is decided by libs/process alone; this class only does it, in order.
 *
 * P1. One append of a process is in flight at a time; outcomes that come meanwhile travel with the next one, so that
 *     OperatorCompleted and the next OperatorStarted share a commit.
 * P2. Nothing is begun, spawned or told before the append that says so is certainly in the log; in doubt nothing begins.
 * P3. An attempt begins at most once in this driver, and only while the lease holds.
 * P4. A refused append is told apart by the head: still ours, fold again and decide again with the same outcomes; else drop.
 * P5. Running effects are aborted by a decision, or when the process is no longer ours; never because the database is away.
 * P6. After the owner is given up (parked, released, ended, fenced) nothing of this driver touches the process again.
 */
export class ProcessDriver {
  private readonly outcomes: EffectOutcome[] = [];
  private readonly running = new Map<string, { abort: AbortController; begun: boolean }>();
  private pending: EffectToBegin[] = [];
  private newest = 0;
  private stale = false;
  private turning = false;
  private again = false;
  private draining = false;
  private ended = false;
  private snapshotAt: number;
  /** The id of the last event that this driver appended. */
  private last: string | null = null;
  private cancelTimer: () => void = () => undefined;
  private cancelProof: () => void = () => undefined;

  constructor(
    readonly stream: string,
    private readonly ports: DriverPorts,
    private readonly settings: Pick<ExecutorSettings, 'snapshotEvery' | 'heartbeatMs'>,
    private readonly incarnation: string,
    private readonly definition: CompiledDefinition,
    private folded: Folded,
    private preface: Preface | null,
    /** Attempts that this incarnation has ever begun for this process: outlives a driver that gave up. */
    private readonly begun: Set<string>,
    private readonly onEnd: (how: DriverEnd, dueAt: string | null) => void,
    private readonly onProgress: () => void,
  ) {
    if (preface !== null) evolve(folded.state, preface.event);
    this.snapshotAt = nextSnapshotAt(folded.snapshot ?? 0, settings.snapshotEvery);
  }

  /** Something happened: look at the process again. */
  poke(): void {
    if (this.ended) return;
    this.again = true;
    if (this.turning) return;
    this.turning = true;
    this.turns()
      .catch((error: unknown) => this.giveUp(error))
      .finally(() => {
        this.turning = false;
        if (this.again && !this.ended) this.poke();
      });
  }

  /** The log has events up to this version. */
  noteVersion(version: number): boolean {
    if (version <= Math.max(this.folded.version, this.newest)) return false;
    this.newest = version;
    this.poke();
    return true;
  }

  /** A hint: there may be news in the log. */
  hintNews(): void {
    this.stale = true;
    this.poke();
  }

  drain(): void {
    this.draining = true;
    this.poke();
  }

  /** The end of the grace period: what runs is aborted, its outcome still waited for. */
  abortRunning(reason: string): void {
    for (const one of this.running.values()) one.abort.abort(reason);
  }

  /** P6: another owns the process, or this incarnation is lost. */
  fence(): void {
    this.finish('fenced', null);
  }

  isIdle(): boolean {
    return this.running.size === 0 && this.pending.length === 0;
  }

  version(): number {
    return this.folded.version;
  }

  private async turns(): Promise<void> {
    while (this.again && !this.ended) {
      this.again = false;
      await this.turn();
    }
  }

  private async turn(): Promise<void> {
    if (this.preface === null && (this.stale || this.newest > this.folded.version)) {
      this.stale = false;
      await this.patiently(() => this.ports.loader.catchUp(this.stream, this.folded));
      if (this.ended) return;
    }
    this.cancelTimer();
    this.cancelProof();
    const given = [...this.outcomes];
    if (this.ports.aftermath.readsArtifacts(this.definition, given)) {
      await this.patiently(() => this.ports.aftermath.loadArtifacts(this.definition, this.folded.state, given));
      if (this.ended) return;
    }
    const decision = decide(this.definition, this.folded.state, this.context(), given);
    const large = largeOutputs(decision.events, given);
    if (large.length > 0) {
      await this.patiently(() => this.ports.aftermath.storeLarge(large, this.folded.state));
      if (this.ended) return;
    }
    const events = this.preface === null ? decision.events : [this.preface.event, ...decision.events];
    if (events.length > 0 && !(await this.append(events, given))) return;
    this.outcomes.splice(0, given.length);
    await this.follow(decision);
  }

  /** P1, P2, P4. False: the decision is void. */
  private async append(events: ProcessEvent[], given: EffectOutcome[]): Promise<boolean> {
    const isClaim = this.preface !== null;
    crashPoint(isClaim ? 'before-claim' : 'before-append');
    if (given.length > 0) crashPoint('before-outcome');
    if (this.preface?.event.type === 'ProcessTakenOver') crashPoint('during-takeover');
    if (events.at(-1)?.type === 'ProcessReleased') crashPoint('before-release');
    const append: Append & { expected: number } = {
      stream: this.stream,
      expected: this.folded.version,
      owner: this.preface === null ? this.incarnation : this.preface.owner,
      events: events.map((event) => ({
        id: this.ports.newId(),
        event,
        metadata: driverMetadata(event, this.incarnation),
      })),
    };
    try {
      const result = await this.ports.certain.append(append, () => this.ended);
      if (this.ended) return false;
      if (result.status === 'gone') {
        this.ports.meter.count('baton.append.fenced');
        this.ports.logger.info(
          { process: this.stream, executor: this.incarnation },
          'append refused: the process is not ours',
        );
        this.finish('fenced', null);
        return false;
      }
      if (result.status === 'reload') {
        await this.reload();
        return false;
      }
      crashPoint(isClaim ? 'after-claim' : 'after-append');
      this.preface = null;
      this.folded.version = result.version;
      this.last = append.events.at(-1)?.id ?? null;
      this.ports.onCommitted?.(this.stream, result.version, this.folded.state);
      if (events.some((event) => isOutcome(event))) this.onProgress();
      return true;
    } catch (error) {
      if (!(error instanceof BadEvent)) throw error;
      await this.refuseBadEvent(error);
      return false;
    }
  }

  private async reload(): Promise<void> {
    this.preface = null;
    const loaded = await this.patiently(() => this.ports.loader.load(this.stream, this.folded.version));
    if (loaded === null) return;
    this.folded = loaded.value;
    this.again = true;
  }

  /** P5: while the database is away this driver waits; what runs goes on. */
  private patiently<T>(ask: () => Promise<T>): Promise<{ value: T } | null> {
    return untilAnswered(this.ports, () => this.ended, ask);
  }

  /** What the decision says, now that it is in the log. */
  private async follow(decision: Decision): Promise<void> {
    for (const { path, attempt, reason } of decision.abort) this.abort(path, attempt, reason);
    for (const effect of decision.begin) this.pending.push(effect);
    this.beginPending();
    this.ports.aftermath.started(decision.events);
    if (decision.spawn.length + decision.tell.length > 0) {
      await Promise.all([
        ...(decision.spawn.length > 0
          ? [this.ports.aftermath.spawn(this.stream, this.definition, decision.spawn, this.folded.state.trace)]
          : []),
        ...decision.tell.map(({ stream, command }) => this.ports.aftermath.tell(stream, command, this.stream)),
      ]);
      if (this.ended) return;
    }
    switch (decision.disposition) {
      case 'ended':
        this.ports.aftermath.ended(this.stream, endOf(this.folded.state));
        crashPoint('after-end');
        this.finish('ended', null);
        return;
      case 'parked': {
        crashPoint('after-park');
        // One that is often parked and never long driven would else be folded from its beginning each time.
        this.saveSnapshot();
        const last = decision.events.at(-1);
        if (this.last !== null) this.ports.loader.keep(this.stream, this.folded, this.last);
        this.finish('parked', last?.type === 'ProcessParked' ? last.data.dueAt : null);
        return;
      }
      case 'released':
        this.finish('released', null);
        return;
      case 'held':
        this.cancelProof = this.ports.detector.whenOver(decision.heldBy, () => this.poke());
        break;
      case 'running':
        break;
    }
    this.saveSnapshot();
    this.wakeUpAt(decision.wakeAt);
  }

  private context(): DecideContext {
    return {
      now: this.ports.databaseClock.now(),
      executor: this.incarnation,
      isOver: (incarnation) => this.ports.detector.isOver(incarnation),
      isRunning: (path, attempt) => this.running.has(key(path, attempt)),
      hasBegun: (path, attempt) => this.begun.has(key(path, attempt)),
      artifact: (digest) => this.ports.aftermath.artifact(digest),
      draining: this.draining,
    };
  }

  private wakeUpAt(wakeAt: number | null): void {
    if (this.pending.length > 0) {
      this.cancelTimer = this.ports.clock.after(this.settings.heartbeatMs / 4, () => this.poke());
      this.beginPending();
      return;
    }
    if (wakeAt === null) return;
    const ms = Math.min(Math.max(0, wakeAt - this.ports.databaseClock.now()), longestWait);
    this.cancelTimer = this.ports.clock.after(ms, () => this.poke());
  }

  /** P3. While the lease does not hold they wait; the timer comes back to them. */
  private beginPending(): void {
    if (this.ended || this.pending.length === 0 || !this.ports.lease.holds()) {
      for (const { path, attempt } of this.pending) this.reserve(path, attempt);
      return;
    }
    const effects = this.pending;
    this.pending = [];
    for (const effect of effects) this.begin(effect);
  }

  private reserve(path: string, attempt: number): void {
    const id = key(path, attempt);
    if (!this.running.has(id)) this.running.set(id, { abort: new AbortController(), begun: false });
  }

  private begin(effect: EffectToBegin): void {
    const id = key(effect.path, effect.attempt);
    const now = isoTime(this.ports.databaseClock.now());
    const report = (outcome: EffectOutcome): void => {
      this.running.delete(id);
      if (this.ended) return;
      this.outcomes.push(outcome);
      crashPoint('after-effect');
      this.poke();
    };
    if (this.begun.has(id)) {
      const result = { status: 'unknown', reason: 'this attempt had begun before' } as const;
      report({ path: effect.path, attempt: effect.attempt, result, startedAt: now, endedAt: now });
      return;
    }
    this.begun.add(id);
    this.reserve(effect.path, effect.attempt);
    const slot = this.running.get(id);
    if (slot === undefined) throw new Error(`no place for ${id}`);
    slot.begun = true;
    const guard = (): string | null => {
      if (this.ended) return 'the process is driven by another executor';
      return this.ports.lease.holds() ? null : 'the lease of this executor has run out';
    };
    crashPoint('before-effect');
    this.ports.effects
      .run(
        effect,
        {
          id: this.stream,
          environment: this.folded.state.environment?.name ?? null,
          ...this.traceOf(effect),
          incarnation: this.incarnation,
          now: () => this.ports.databaseClock.now(),
        },
        slot.abort,
        guard,
      )
      .then(report, (error: unknown) =>
        // The host promises a result; what it throws is a bug, and nobody knows what was begun.
        report({
          path: effect.path,
          attempt: effect.attempt,
          result: { status: 'unknown', reason: `the effect's host failed: ${String(error)}` },
          startedAt: now,
          endedAt: isoTime(this.ports.databaseClock.now()),
        }),
      );
  }

  /** What its calls carry: the attempt's own span, known before it begins. */
  private traceOf({ path, attempt }: EffectToBegin): { traceparent?: string; tracestate?: string } {
    const { parent, state } = this.folded.state.trace;
    const traceparent = this.ports.traceparent?.({ id: this.stream, traceparent: parent }, path, attempt);
    if (traceparent === undefined) return {};
    return { traceparent, ...(parent === null || state === null ? {} : { tracestate: state }) };
  }

  private abort(path: string, attempt: number, reason: string): void {
    const waiting = this.pending.findIndex((one) => one.path === path && one.attempt === attempt);
    if (waiting < 0) {
      this.running.get(key(path, attempt))?.abort.abort(reason);
      return;
    }
    this.pending.splice(waiting, 1);
    this.running.delete(key(path, attempt));
    const at = isoTime(this.ports.databaseClock.now());
    this.outcomes.push({ path, attempt, result: { status: 'not-begun', reason }, startedAt: at, endedAt: at });
    this.poke();
  }

  private saveSnapshot(): void {
    if (this.folded.version < this.snapshotAt) return;
    this.snapshotAt = nextSnapshotAt(this.folded.version, this.settings.snapshotEvery);
    this.ports.snapshots
      .save(this.stream, stateShape, this.folded.version, snapshotText(this.folded.state))
      .catch((error: unknown) => {
        this.ports.logger.warn({ process: this.stream, error: String(error) }, 'its snapshot could not be saved');
      });
  }

  /** Design 2, rule 6: what cannot be stored becomes an incident; the outcomes that brought it are gone. */
  private async refuseBadEvent(error: BadEvent): Promise<void> {
    this.ports.logger.error(
      { process: this.stream, code: error.code, error: error.message },
      'an event cannot be stored',
    );
    this.outcomes.length = 0;
    await this.raiseIncident(
      'bad-event',
      `An event of this process cannot be stored (${error.code}): ${error.message}`,
    );
  }

  private async raiseIncident(incidentKind: string, reason: string): Promise<void> {
    await this.patiently(() =>
      this.ports.commands.handle(this.stream, { kind: 'raiseIncident', incidentKind, reason }),
    );
    if (this.preface === null) await this.reload();
    else this.finish('given-up', null);
  }

  /** A bug, or a log that cannot be read: the process must neither be lost nor take the executor with it. */
  private giveUp(error: unknown): void {
    if (this.ended) return;
    this.ports.logger.error(
      { process: this.stream, error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
      'driving this process failed; it is taken up again',
    );
    this.ports.meter.count('baton.process.driver-failures');
    this.finish('given-up', null);
  }

  private finish(how: DriverEnd, dueAt: string | null): void {
    if (this.ended) return;
    this.ended = true;
    this.cancelTimer();
    this.cancelProof();
    this.pending = [];
    if (how === 'fenced' || how === 'given-up')
      for (const one of this.running.values()) one.abort.abort('this executor no longer owns the process');
    this.onEnd(how, dueAt);
  }
}

function key(path: string, attempt: number): string {
  return `${path}#${attempt}`;
}

function isOutcome(event: ProcessEvent): boolean {
  return (
    event.type === 'OperatorCompleted' ||
    event.type === 'OperatorFailed' ||
    event.type === 'OperatorRetryScheduled' ||
    event.type === 'OperatorCancelled'
  );
}
