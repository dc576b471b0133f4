import type { ClaimSource } from '@baton/event-log';
import { type Clock, longestWait } from '../clock/clock.port.js';
import type { DatabaseClock } from '../clock/database.clock.js';
import type { ExecutorSettings, Logger, Meter } from '../executor.ports.js';
import { RateLimit } from './rate.limit.js';

/** What was looked at: a stream at a version, without an owner or with a lost one. */
export interface Candidate {
  stream: string;
  version: number;
  owner: string | null;
  claims: number;
  /** How long it had waited when it was seen: for a driver, or since its executor was lost. */
  waitedMs?: number;
}

/** How an executor came to look: over the bus, by NOTIFY, at a poll, at a due time, or by what it did itself. */
export type Way = 'bus' | 'notify' | 'poll' | 'timer' | 'self';

/** About as long as a commit of many claims takes; twice as long after each look that shows nothing else. */
const crowdedMs = { least: 5, most: 100 };

/** The processes that this executor drives, as the claimer sees them. */
export interface Driven {
  count(): number;
  has(stream: string): boolean;
  streams(): string[];
  /** Newer events than it has folded: a cancel, an answer. True: they were news to it. */
  noteVersion(stream: string, version: number): boolean;
  /** Takes candidates by appends at these versions, and drives those that it got. Answers how many it tried. */
  take(candidates: Candidate[]): Promise<number>;
  /** Owned and not driven: a claim whose answer was lost. */
  pickUp(owned: { stream: string; version: number }[]): Promise<void>;
  /** Runnable processes that this executor does not understand: left to others, and not looked at for a while. */
  leftToOthers(): string[];
  /** Drives a suspect alone, or makes room for one; then nothing else is taken. */
  isReserved(): boolean;
}

/**
 * Finds work: runnable processes, those of lost executors, and its own that it does not drive.
 * Boundary: it only looks; taking is an append at the version that was looked at, made by whoever drives.
 *
 * M1. Hints make it quick, a poll of at most a second makes it sure: with every hint lost the same processes are driven.
 * M2. It never takes more than there is free capacity, and nothing while the lease does not hold or it drains.
 * M3. It sleeps no longer than until the next timer that is due.
 * M4. What it owns and does not drive it takes up; what has a newer version than was folded is folded again.
 * M5. Takeovers are bounded in rate, and each survivor takes a share at a time. While there are any, nothing new is
 *     taken: neither time nor a place that becomes free goes to it.
 * M6. What cannot be driven here stands in nobody's way, however much of it there is.
 * M7. A look that shows mostly what is being claimed here, as that is not committed yet, is followed by another soon.
 * M8. Of what is runnable it takes its own share; when that is done, at a poll also what another should have taken half a poll
 *     ago, and in the moment when a timer is due all that is: whose share it is may not know of the timer yet.
 */
export class Claimer {
  private stopped = false;
  private looking = false;
  private again = false;
  private wantsOrphans = true;
  private way: Way = 'self';
  /** What asked for the next look at all that is owned, before the poll was due. */
  private ownedWay: Way | null = null;
  private pollAt = 0;
  /** M7: the pause before the next look; 0: the last one was not crowded. */
  private crowdedMs = 0;
  /** M8: the last look left some that are another's, of those that had waited so long. */
  private othersLeft: number | undefined;
  private nextDue = Number.POSITIVE_INFINITY;
  private cancelTimer: () => void = () => undefined;
  private readonly takeovers: RateLimit;

  constructor(
    private readonly ports: {
      clock: Clock;
      databaseClock: DatabaseClock;
      random(): number;
      claims: ClaimSource;
      lease: { holds(): boolean };
      logger: Logger;
      meter: Meter;
    },
    private readonly settings: Pick<ExecutorSettings, 'pollMs' | 'capacity' | 'batch' | 'takeoversPerSecond'>,
    private readonly incarnation: string,
    private readonly driven: Driven,
  ) {
    this.takeovers = new RateLimit(ports.clock, settings.takeoversPerSecond);
  }

  start(): void {
    this.hint();
  }

  stop(): void {
    this.stopped = true;
    this.cancelTimer();
  }

  /** Something may be runnable, or a place became free: look at once. */
  hint(way: Way = 'self'): void {
    if (!this.again) this.way = way;
    this.again = true;
    this.look();
  }

  /** Something that is driven here may have news: look at all of it. */
  hintOwned(way: Way = 'self'): void {
    this.pollAt = Number.NEGATIVE_INFINITY;
    this.ownedWay ??= way;
    this.hint(way);
  }

  /** An executor was found lost: its processes are to be taken over. */
  hintOrphans(): void {
    this.wantsOrphans = true;
    this.hint();
  }

  /** A process of ours was parked until then. */
  noteDue(dueAt: string): void {
    const due = Date.parse(dueAt);
    if (Number.isNaN(due) || due >= this.nextDue) return;
    this.nextDue = due;
    if (!this.looking) this.sleep();
  }

  private look(): void {
    if (this.looking || this.stopped) return;
    this.looking = true;
    this.cancelTimer();
    this.turns()
      .catch((error: unknown) => {
        this.again = false;
        this.ports.logger.warn({ error: String(error) }, 'could not look for work; tried again at the next poll');
      })
      .finally(() => {
        this.looking = false;
        this.sleep();
      });
  }

  private async turns(): Promise<void> {
    while (this.again && !this.stopped) {
      this.again = false;
      await this.turn();
    }
  }

  private async turn(): Promise<void> {
    if (!this.ports.lease.holds()) return;
    const isPoll = this.ports.clock.monotonic() >= this.pollAt;
    if (isPoll) {
      this.pollAt = this.ports.clock.monotonic() + this.settings.pollMs * (0.5 + this.ports.random() / 2);
      await this.lookAtOwned();
    }
    const isDue = this.ports.databaseClock.now() >= this.nextDue;
    const othersMs = isDue ? 0 : (this.othersLeft ?? (isPoll ? this.settings.pollMs / 2 : undefined));
    const isReserved = this.driven.isReserved();
    if (isReserved) this.crowdedMs = 0;
    const tookOver = !isReserved && (isPoll || this.wantsOrphans) && (await this.takeOver());
    // Its own share first: meanwhile the others come to theirs.
    const isMineDone = !isReserved && !tookOver && (await this.claim());
    const areOthersDone = othersMs === undefined || (isMineDone && (await this.claim(othersMs)));
    this.othersLeft = areOthersDone ? undefined : othersMs;
    if (isPoll || isDue) await this.learnNextDue();
  }

  /** M4 */
  private async lookAtOwned(): Promise<void> {
    // A turn that came for another reason finds it because the poll was due, too.
    const way = this.ownedWay ?? 'poll';
    this.ownedWay = null;
    const owned = await this.ports.claims.ownedBy(this.incarnation);
    const lost: { stream: string; version: number }[] = [];
    for (const one of owned) {
      if (!this.driven.has(one.stream)) lost.push(one);
      else if (this.driven.noteVersion(one.stream, one.version)) this.countWakeUp('reload', 1, way);
    }
    if (lost.length > 0) await this.driven.pickUp(lost);
  }

  private free(): number {
    return Math.max(0, this.settings.capacity - this.driven.count());
  }

  /** M5. True: it took some, and there may be more. */
  private async takeOver(): Promise<boolean> {
    // Half as many as of what is new: the first of them go on sooner.
    const limit = Math.min(this.free(), Math.ceil(this.settings.batch / 2), this.takeovers.available());
    if (limit <= 0) return false;
    this.wantsOrphans = false;
    // What is being taken over here is still the dead one's: it would hide the others, of which a look shows a part.
    const orphans = await this.ports.claims.lookForOrphans(limit, this.driven.streams());
    const wanted = orphans.filter((one) => !this.driven.has(one.stream));
    if (wanted.length === 0) return false;
    const taken = await this.driven.take(wanted);
    this.takeovers.take(taken);
    if (taken === 0) return false;
    this.wantsOrphans = true;
    this.again = true;
    return true;
  }

  /** M2, M8. True: there is no more of it than was tried. */
  private async claim(othersMs?: number): Promise<boolean> {
    const limit = Math.min(this.free(), this.settings.batch);
    if (limit <= 0) {
      this.crowdedMs = 0;
      return false;
    }
    const started = this.ports.clock.monotonic();
    const except = this.driven.leftToOthers();
    const runnable = await this.ports.claims.lookForRunnable(limit, { me: this.incarnation, except, othersMs });
    const wanted = runnable.filter((one) => !this.driven.has(one.stream)).map((one) => ({ ...one, owner: null }));
    const isCrowded = runnable.length === limit && wanted.length < runnable.length;
    this.crowdedMs = isCrowded ? Math.min(Math.max(crowdedMs.least, 2 * this.crowdedMs), crowdedMs.most) : 0;
    const tried = this.share(wanted);
    if (tried.length < wanted.length) this.again = true;
    const isAll = runnable.length < limit && tried.length === wanted.length;
    if (tried.length === 0) return isAll;
    const taken = await this.driven.take(tried);
    if (taken > 0) this.countWakeUp('claim', taken, this.way);
    this.ports.meter.record('baton.claim.duration', (this.ports.clock.monotonic() - started) / 1000);
    // M6: what was found to be nothing for this executor made room in the next look.
    const learnt = this.driven.leftToOthers().length > except.length;
    if (learnt || (taken > 0 && (runnable.length === limit || taken < tried.length))) this.again = true;
    return isAll;
  }

  /** What is another's several may try, all at the same moment: of many each takes a random half at a time. */
  private share<One extends { mine: boolean }>(wanted: One[]): One[] {
    if (wanted.filter(({ mine }) => !mine).length <= 8) return wanted;
    return wanted.filter(({ mine }) => mine || this.ports.random() < 0.5);
  }

  private countWakeUp(work: 'claim' | 'reload', count: number, way: Way): void {
    this.ports.meter.count('baton.wakeups', count, { work, way });
  }

  private async learnNextDue(): Promise<void> {
    const next = await this.ports.claims.nextDueAt();
    this.nextDue = next === null ? Number.POSITIVE_INFINITY : Date.parse(next);
  }

  /** M1, M3, M7 */
  private sleep(): void {
    if (this.stopped) return;
    this.cancelTimer();
    if (this.again) {
      this.cancelTimer = this.ports.clock.after(0, () => this.look());
      return;
    }
    const poll = Math.max(1, this.pollAt - this.ports.clock.monotonic());
    if (this.crowdedMs > 0) {
      this.cancelTimer = this.ports.clock.after(Math.min(poll, this.crowdedMs), () => this.hint());
      return;
    }
    const due = this.free() > 0 ? Math.max(1, this.nextDue - this.ports.databaseClock.now()) : longestWait;
    this.cancelTimer = this.ports.clock.after(Math.min(poll, due), () => this.hint(due < poll ? 'timer' : 'poll'));
  }
}
