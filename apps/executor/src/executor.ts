import type { ExecutorRegistry } from '@baton/event-log';
import type { ProcessEvent } from '@baton/process';
import { type Candidate, Claimer, type Driven } from './claim/claimer.js';
import { type Orphan, readOrphans } from './claim/orphan.history.js';
import { RoomForSuspect } from './claim/room.for-suspect.js';
import { wait } from './clock/clock.port.js';
import { DatabaseClock } from './clock/database.clock.js';
import { crashPoint } from './crash/crash-points.js';
import { Aftermath } from './drive/aftermath.js';
import { BackgroundWork } from './drive/background.work.js';
import { CertainAppend } from './drive/certain.append.js';
import { type DriverEnd, type DriverPorts, type Preface, ProcessDriver } from './drive/process.driver.js';
import { type Folded, StreamLoader } from './drive/stream.loader.js';
import type { Appends, ExecutorPorts, ExecutorSettings } from './executor.ports.js';
import { Detector } from './lease/detector.js';
import { LeaseKeeper } from './lease/lease.keeper.js';

/**
 * One incarnation of an executor: claims, drives, takes over, hands back.
 * Boundary: the parts decide and do; this class builds them, and holds which processes are driven here.
 *
 * E1. A process has at most one driver here, from the claim on; a claim under way counts as driven.
 * E2. It never drives what it does not understand: an unknown definition or event leaves the process to others.
 * E3. Lost means that everything is fenced at once and `onLost` is called; the incarnation never acts again.
 * E4. A suspect (Quarantine) is driven while nothing else is; until its progress nothing else is taken.
 * E5. Draining claims nothing, lets run what runs until the grace period ends, and gives every process back before it leaves.
 */
export class Executor implements Driven {
  readonly databaseClock: DatabaseClock;
  readonly lease: LeaseKeeper;
  readonly detector: Detector;
  readonly claimer: Claimer;
  private readonly loader: StreamLoader;
  private readonly certain: CertainAppend;
  private readonly appender: Appends & { stop(): void };
  private readonly creations: Appends & { stop(): void };
  private readonly aftermath: Aftermath;
  private readonly work: BackgroundWork;
  private readonly quarantine: RoomForSuspect;
  private readonly drivers = new Map<string, ProcessDriver>();
  private readonly taking = new Set<string>();
  private readonly begun = new Map<string, Set<string>>();
  private readonly failures = new Map<string, number>();
  /** E2: until when (monotonic) they are left to others. */
  private readonly notUnderstood = new Map<string, number>();
  private suspect: string | null = null;
  private progress = 0;
  private draining = false;
  private over = false;
  private readonly whenEmpty = new Set<() => void>();

  constructor(
    readonly id: string,
    private readonly ports: ExecutorPorts,
    private readonly settings: ExecutorSettings,
    private readonly description: Omit<
      Parameters<ExecutorRegistry['join']>[0],
      'id' | 'capacity' | 'leaseMs' | 'heartbeatMs'
    >,
    private readonly onLost: () => void,
  ) {
    const { clock, registry, logger } = ports;
    const random = (): number => ports.random();
    this.databaseClock = new DatabaseClock(clock);
    this.lease = new LeaseKeeper(
      { clock, databaseClock: this.databaseClock, registry, logger },
      settings,
      id,
      () => ({ driven: this.drivers.size, draining: this.draining, progress: this.progress }),
      () => this.fenceAll(),
    );
    this.detector = new Detector({ clock, random, registry, lease: this.lease, logger }, settings, id, (lost) => {
      logger.warn({ executors: lost }, 'executors are lost; their processes are taken over');
      this.claimer.hintOrphans();
    });
    this.loader = new StreamLoader(ports, settings);
    this.appender = ports.newAppender();
    // Of its own: a child whose creation is in doubt here may already be claimed here.
    this.creations = ports.newAppender();
    this.certain = new CertainAppend({ log: ports.log, appender: this.appender, clock, random, logger }, id);
    this.work = new BackgroundWork({ clock, random, logger });
    this.quarantine = new RoomForSuspect({ clock, random }, settings);
    this.aftermath = new Aftermath({ ...ports, newId: () => ports.newId(), appender: this.creations }, this.work, id);
    this.claimer = new Claimer(
      { ...ports, clock, random, databaseClock: this.databaseClock, lease: this.lease },
      settings,
      id,
      this,
    );
  }

  async start(): Promise<void> {
    await this.ports.registry.join({
      ...this.description,
      id: this.id,
      capacity: this.settings.capacity,
      leaseMs: this.settings.leaseMs,
      heartbeatMs: this.settings.heartbeatMs,
    });
    await this.lease.start();
    if (this.over) return;
    this.detector.start();
    this.claimer.start();
  }

  /** A hint from bus or log: news of a stream, something runnable, or of the cluster. */
  hint(topic: string, detail: string, way: 'bus' | 'notify' = 'notify'): void {
    if (this.over) return;
    if (topic === 'owned' && detail !== '') this.hintNews(detail, way);
    else if (topic === 'owned') this.claimer.hintOwned(way);
    else if (topic === 'runnable') this.claimer.hint(way);
    else if (topic === 'cluster') this.detector.hint();
  }

  /** A process, of whomever, was parked until then. */
  noteDue(dueAt: string): void {
    if (!this.over) this.claimer.noteDue(dueAt);
  }

  private hintNews(stream: string, way: 'bus' | 'notify'): void {
    const driver = this.drivers.get(stream);
    if (!driver) return;
    driver.hintNews();
    this.ports.meter.count('baton.wakeups', 1, { work: 'reload', way });
  }

  /** E5 */
  async drain(): Promise<void> {
    if (this.draining) return;
    this.draining = true;
    this.claimer.stop();
    for (const driver of this.drivers.values()) driver.drain();
    const { clock } = this.ports;
    await Promise.race([this.empty(), wait(clock, this.settings.graceMs)]);
    if (this.drivers.size > 0) {
      this.ports.logger.warn({ processes: this.drivers.size }, 'the grace period is over; what runs is aborted');
      for (const driver of this.drivers.values()) driver.abortRunning('the executor shuts down');
      await Promise.race([this.empty(), wait(clock, Math.min(2000, this.settings.graceMs))]);
    }
    await Promise.race([this.work.whenIdle(), wait(clock, 2000)]);
    this.stop();
    // What still ran dies with this program; its supervisor or the lease proves that, `leave` would be too early.
    if (this.drivers.size === 0 && !this.lease.isLost()) await this.leave();
  }

  private async leave(): Promise<void> {
    try {
      await this.ports.registry.leave(this.id);
    } catch (error) {
      this.ports.logger.warn({ error: String(error) }, 'could not say that this executor leaves; its lease will tell');
    }
  }

  stop(): void {
    this.over = true;
    this.claimer.stop();
    this.detector.stop();
    this.lease.stop();
    this.work.stop();
    this.appender.stop();
    this.creations.stop();
  }

  // -- Driven

  count(): number {
    return this.drivers.size + this.taking.size;
  }

  has(stream: string): boolean {
    return this.drivers.has(stream) || this.taking.has(stream);
  }

  streams(): string[] {
    return [...this.drivers.keys(), ...this.taking];
  }

  noteVersion(stream: string, version: number): boolean {
    return this.drivers.get(stream)?.noteVersion(version) ?? false;
  }

  leftToOthers(): string[] {
    const now = this.ports.clock.monotonic();
    for (const [stream, until] of this.notUnderstood) if (until <= now) this.notUnderstood.delete(stream);
    return [...this.notUnderstood.keys()];
  }

  isReserved(): boolean {
    return this.isClosed() || this.suspect !== null || (this.quarantine.makesRoom() && this.drivers.size > 0);
  }

  async take(candidates: Candidate[]): Promise<number> {
    const fresh = candidates.filter((one) => !this.has(one.stream));
    for (const one of fresh) this.taking.add(one.stream);
    try {
      const orphans = fresh.filter(isOrphan);
      const taken = await this.claimAll(fresh.filter((one) => one.owner === null));
      return taken + (orphans.length > 0 ? await this.takeOverAll(orphans) : 0);
    } finally {
      for (const one of fresh) this.taking.delete(one.stream);
    }
  }

  async pickUp(owned: { stream: string; version: number }[]): Promise<void> {
    const fresh = owned.filter((one) => !this.has(one.stream));
    for (const one of fresh) this.taking.add(one.stream);
    try {
      const folded = await this.loader.loadMany(fresh);
      for (const one of fresh) {
        const state = folded.get(one.stream);
        if (this.over) continue;
        if (!state) {
          await this.giveBack(one);
          continue;
        }
        this.ports.logger.info({ process: one.stream }, 'owned and not driven: taken up');
        if (!(await this.drive(one.stream, state, null))) await this.giveBack(one);
      }
    } finally {
      for (const one of fresh) this.taking.delete(one.stream);
    }
  }

  /** E2: it was ours, and another release has written since. */
  private async giveBack({ stream, version }: { stream: string; version: number }): Promise<void> {
    if (this.isClosed()) return;
    const reason = 'its definition or its events are not understood by this executor';
    const event: ProcessEvent = { type: 'ProcessReleased', data: { executor: this.id, reason } };
    const item = { id: this.ports.newId(), event, metadata: {} };
    await this.appender.append({ stream, expected: version, owner: this.id, events: [item] });
  }

  private async claimAll(runnable: Candidate[]): Promise<number> {
    let taken = 0;
    const loaded = await this.loader.loadMany(runnable);
    for (const one of runnable) {
      const folded = loaded.get(one.stream);
      if (folded === null) this.leaveToOthers(one.stream);
      // Another version by now: somebody else was quicker. The next look tells.
      if (!folded || folded.version !== one.version || this.isClosed()) continue;
      const event: ProcessEvent = !folded.state.started
        ? { type: 'ProcessStarted', data: { executor: this.id } }
        : { type: 'ProcessClaimed', data: { executor: this.id } };
      if (!(await this.drive(one.stream, folded, { event, owner: null }))) continue;
      taken += 1;
      this.measureWait('baton.claim.latency', one);
    }
    return taken;
  }

  private async takeOverAll(orphans: Orphan[]): Promise<number> {
    const limit = this.settings.quarantineDeaths();
    const known = await readOrphans(this.loader, orphans, limit);
    const isSuspect = (deaths: number): boolean => deaths >= limit - 1 && deaths < limit;
    const suspect = known.find(({ deaths }) => isSuspect(deaths));
    if (suspect !== undefined && this.drivers.size === 0) {
      this.suspect = suspect.orphan.stream;
      if (await this.takeOver(suspect.orphan, suspect.folded, suspect.deaths, suspect.passedOver, true)) return 1;
      this.suspect = null;
    } else if (suspect !== undefined) this.quarantine.seen(() => this.makeRoom());
    let taken = 0;
    for (const { orphan, folded, deaths, passedOver } of known) {
      if (this.isClosed() || isSuspect(deaths)) continue;
      if (deaths >= limit) await this.raiseQuarantine(orphan, deaths);
      else if (await this.takeOver(orphan, folded, deaths, passedOver, false)) taken += 1;
    }
    return taken;
  }

  private takeOver(
    orphan: Orphan,
    folded: Folded,
    deaths: number,
    passedOver: number,
    alone: boolean,
  ): Promise<boolean> {
    crashPoint('during-takeover');
    const event: ProcessEvent = {
      type: 'ProcessTakenOver',
      data: {
        executor: this.id,
        from: orphan.owner,
        eventsFolded: folded.version,
        operatorsPassedOver: passedOver,
        deaths,
        ...(alone && { alone }),
      },
    };
    this.ports.meter.count('baton.process.takeovers');
    this.measureWait('baton.takeover.duration', orphan);
    return this.drive(orphan.stream, folded, { event, owner: orphan.owner });
  }

  private measureWait(metric: string, { waitedMs }: { waitedMs?: number }): void {
    if (waitedMs !== undefined) this.ports.meter.record(metric, waitedMs / 1000);
  }

  /** The incident parks it: nobody drives it until a person says how to go on. */
  private async raiseQuarantine(orphan: Orphan, deaths: number): Promise<void> {
    await this.ports.commands.handle(orphan.stream, {
      kind: 'raiseIncident',
      incidentKind: 'quarantine',
      reason: `${deaths} executors died while they drove this process, the last one while it drove nothing else`,
    });
  }

  /** E4: what can be handed back is, so that this executor drives nothing but the suspect. */
  private makeRoom(): void {
    if (this.isClosed()) return;
    for (const driver of this.drivers.values()) driver.drain();
  }

  private isClosed(): boolean {
    return this.over || this.draining;
  }

  /** E1, E2. False: it is not driven here. */
  private async drive(stream: string, folded: Folded, preface: Preface | null): Promise<boolean> {
    const pinned = folded.state.definition;
    if (pinned === null) return false;
    const definition = await this.ports.definitions.load(pinned.name, pinned.version);
    if (definition === null) {
      this.ports.logger.warn(
        { process: stream, definition: pinned },
        'its definition is not understood here; left to others',
      );
      this.leaveToOthers(stream);
      return false;
    }
    if (this.over) return false;
    const begun = this.begun.get(stream) ?? new Set<string>();
    this.begun.set(stream, begun);
    const driver: ProcessDriver = new ProcessDriver(
      stream,
      this.driverPorts(),
      this.settings,
      this.id,
      definition,
      folded,
      preface,
      begun,
      (how, dueAt) => this.ended(driver, how, dueAt),
      () => this.madeProgress(stream),
    );
    this.drivers.set(stream, driver);
    if (this.draining) driver.drain();
    driver.poke();
    return true;
  }

  private leaveToOthers(stream: string): void {
    if (this.notUnderstood.size < mostLeftToOthers)
      this.notUnderstood.set(stream, this.ports.clock.monotonic() + leftToOthersMs);
  }

  private driverPorts(): DriverPorts {
    return {
      ...this.ports,
      newId: () => this.ports.newId(),
      random: () => this.ports.random(),
      databaseClock: this.databaseClock,
      certain: this.certain,
      loader: this.loader,
      aftermath: this.aftermath,
      lease: this.lease,
      detector: this.detector,
    };
  }

  private madeProgress(stream: string): void {
    this.progress += 1;
    this.failures.delete(stream);
    if (this.suspect === stream) this.release();
  }

  private ended(driver: ProcessDriver, how: DriverEnd, dueAt: string | null): void {
    if (this.drivers.get(driver.stream) !== driver) return;
    this.drivers.delete(driver.stream);
    if (how === 'ended' || how === 'parked' || how === 'released') this.begun.delete(driver.stream);
    if (this.suspect === driver.stream) this.release();
    if (how === 'given-up') this.countFailure(driver.stream);
    if (dueAt !== null) this.claimer.noteDue(dueAt);
    if (how === 'released') this.ports.wakeUp.notify('runnable');
    if (this.drivers.size === 0) {
      for (const call of this.whenEmpty) call();
      this.whenEmpty.clear();
      if (this.quarantine.makesRoom() && !this.isClosed()) this.claimer.hintOrphans();
    } else if (this.drivers.size === this.settings.capacity - 1) this.claimer.hint();
  }

  private release(): void {
    this.suspect = null;
    this.quarantine.clear();
    if (!this.isClosed()) this.claimer.hintOrphans();
  }

  /** A process that cannot be driven here again and again is a person's matter. */
  private countFailure(stream: string): void {
    const failures = (this.failures.get(stream) ?? 0) + 1;
    this.failures.set(stream, failures);
    if (failures !== 3) return;
    void this.work.start(`raise an incident for ${stream}`, async () => {
      await this.ports.commands.handle(stream, {
        kind: 'raiseIncident',
        incidentKind: 'driver',
        reason: 'This process cannot be driven: the executor failed at it three times. Its log says why.',
      });
    });
  }

  /** E3 */
  private fenceAll(): void {
    this.ports.logger.warn({ executor: this.id }, 'this incarnation is lost; everything it drove belongs to others');
    this.stop();
    for (const driver of [...this.drivers.values()]) driver.fence();
    this.onLost();
  }

  private empty(): Promise<void> {
    if (this.drivers.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.whenEmpty.add(resolve);
    });
  }
}

/** As long as a definition that is not understood is not asked about again. */
const leftToOthersMs = 60_000;
const mostLeftToOthers = 10_000;

function isOrphan(one: Candidate): one is Orphan {
  return one.owner !== null;
}
