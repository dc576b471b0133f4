import type { ExecutorRegistry } from '@baton/event-log';
import { type Clock, wait } from '../clock/clock.port.js';
import type { DatabaseClock } from '../clock/database.clock.js';
import type { Logger } from '../executor.ports.js';

const quickBeats = 10;

export interface LeaseReport {
  driven: number;
  draining: boolean;
  progress: number;
}

/**
 * Keeps one incarnation alive in the eyes of its peers, and knows when it may still act.
 * Boundary: it judges nobody (Detector) and drives nothing; what is fenced when the lease is lost is the executor's matter.
 *
 * L1. The lease runs from before the heartbeat was sent, on the monotonic and on the wall clock; the earlier end counts.
 *     Clocks that have moved apart since (a suspended machine, a clock that was set) are not believed: nothing begins
 *     until the next heartbeat.
 * L2. Without a heartbeat answered within the lease nothing may begin; the first answered one makes it hold again,
 *     unless the database says that the incarnation is lost.
 * L3. Lost is final: it is told once, and the incarnation never holds again.
 * L4. Whoever could not write its own heartbeat may judge nobody until it has for a whole lease.
 * L5. Whoever loses the session of its lock and lives says so by a heartbeat at once: a free lock without one counts as
 *     a crash after a quarter of a heartbeat.
 */
export class LeaseKeeper {
  /** When the last heartbeat that was answered had been sent. */
  private sent = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };
  private steadySince: number | null = null;
  private lost = false;
  private stopped = false;
  private lock: { held: boolean; release(): Promise<void> } | null = null;
  private cancelTimer: () => void = () => undefined;

  constructor(
    private readonly ports: {
      clock: Clock;
      databaseClock: DatabaseClock;
      registry: Pick<ExecutorRegistry, 'heartbeat' | 'holdLock'>;
      logger: Logger;
    },
    private readonly settings: { leaseMs: number; heartbeatMs: number },
    private readonly incarnation: string,
    private readonly report: () => LeaseReport,
    private readonly onLost: () => void,
  ) {}

  /** The first heartbeat; throws when the database is out of reach. */
  async start(): Promise<void> {
    await this.holdLock();
    await this.beat();
    this.schedule();
  }

  stop(): void {
    this.stopped = true;
    this.cancelTimer();
    const lock = this.lock;
    this.lock = null;
    lock?.release().catch((error: unknown) => {
      this.ports.logger.warn({ error: String(error) }, 'the lock of this incarnation could not be released');
    });
  }

  /** L1: asked in the very step that begins an effect. */
  holds(): boolean {
    if (this.lost || this.stopped) return false;
    const { leaseMs } = this.settings;
    const monotonic = this.ports.clock.monotonic() - this.sent.monotonic;
    const wall = this.ports.clock.wall() - this.sent.wall;
    return monotonic < leaseMs && wall < leaseMs && Math.abs(wall - monotonic) < leaseMs / 10;
  }

  /** L4 */
  mayJudge(): boolean {
    return (
      this.holds() &&
      this.steadySince !== null &&
      this.ports.clock.monotonic() - this.steadySince >= this.settings.leaseMs
    );
  }

  isLost(): boolean {
    return this.lost;
  }

  private schedule(): void {
    if (this.stopped || this.lost) return;
    this.cancelTimer = this.ports.clock.after(this.settings.heartbeatMs, () => {
      void this.beat()
        .catch((error: unknown) => {
          this.steadySince = null;
          this.ports.logger.warn({ error: String(error) }, 'the heartbeat could not be written; nothing new begins');
        })
        .then(() => this.schedule());
    });
  }

  private async beat(): Promise<void> {
    const { clock } = this.ports;
    const monotonic = clock.monotonic();
    const wall = clock.wall();
    const hadLapsed = !this.holds();
    const answer = await Promise.race([
      this.ports.registry.heartbeat(this.incarnation, this.report()),
      wait(clock, this.settings.leaseMs).then(() => {
        throw new Error('no answer to the heartbeat within the lease');
      }),
    ]);
    if (this.stopped || this.lost) return;
    if (!answer.alive) {
      this.lost = true;
      this.onLost();
      return;
    }
    this.ports.databaseClock.learn(answer.now);
    this.sent = { monotonic, wall };
    if (this.steadySince === null || hadLapsed) this.steadySince = clock.monotonic();
    if (this.lock !== null && !this.lock.held) await this.holdLock();
  }

  /** L5. Its connection may have broken with the lock's: tried a few times before the next heartbeat is due. */
  private sayAlive(tries: number): void {
    if (this.stopped || this.lost || tries === 0) return;
    this.beat().catch(() => {
      this.ports.clock.after(this.settings.heartbeatMs / 25, () => this.sayAlive(tries - 1));
    });
  }

  /** The lock only makes detection quick; without it (a pooler between) the lease alone decides. */
  private async holdLock(): Promise<void> {
    try {
      this.lock = await this.ports.registry.holdLock(this.incarnation, () => this.sayAlive(quickBeats));
    } catch (error) {
      this.lock = { held: false, release: () => Promise.resolve() };
      this.ports.logger.warn(
        { error: String(error) },
        'the lock of this incarnation could not be taken; peers go by its lease',
      );
    }
  }
}
