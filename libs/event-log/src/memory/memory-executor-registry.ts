import type { ExecutorRegistry, ExecutorRow, LostExecutor } from '../event-log.port.js';
import { LivenessJudge } from '../liveness/liveness-judge.js';
import type { MemoryState } from './memory-state.js';

interface Row {
  id: string;
  host: string;
  pid: number;
  version: string;
  http?: string;
  capacity: number;
  leaseMs: number;
  heartbeatMs: number;
  startedAt: number;
  heartbeatAt: number;
  driven: number;
  draining: boolean;
  lockHeld: boolean;
  locked: boolean;
  status: 'alive' | 'lost' | 'left';
  proof: 'exit' | 'lease' | 'left' | null;
  endedAt: number | null;
}

/** Incarnations in memory, judged by the same rules. One judge per judging incarnation, as each is a process of its own. */
export class MemoryExecutorRegistry implements ExecutorRegistry {
  readonly #rows = new Map<string, Row>();
  readonly #judges = new Map<string, LivenessJudge>();
  constructor(
    private readonly state: MemoryState,
    private readonly monotonicMs: (executor: string) => number = () => state.now(),
  ) {}

  /** The session that held the lock is gone: a crash, or a cut connection. */
  dropLock(id: string): void {
    const row = this.#rows.get(id);
    if (row) row.lockHeld = false;
  }

  /** Every session ended; locks are free until their holders come back. */
  databaseRestarted(): void {
    this.state.acceptingSince = this.state.now();
    for (const row of this.#rows.values()) row.lockHeld = false;
  }

  isOver(id: string): boolean {
    const row = this.#rows.get(id);
    return row === undefined || row.status !== 'alive';
  }

  /** Who has a share of what is runnable, `me` in any case: in the order of their ids. */
  withRoom(me: string): string[] {
    const others = [...this.#rows.values()].filter(
      (row) => row.id !== me && row.status === 'alive' && !row.draining && row.driven < row.capacity,
    );
    return [me, ...others.map((row) => row.id)].sort();
  }

  #judge(id: string): LivenessJudge {
    let judge = this.#judges.get(id);
    if (!judge) {
      judge = new LivenessJudge(() => this.monotonicMs(id));
      this.#judges.set(id, judge);
    }
    return judge;
  }

  async join(executor: Parameters<ExecutorRegistry['join']>[0]): Promise<void> {
    await this.state.before('executors');
    const known = this.#rows.get(executor.id);
    if (known && known.status !== 'alive')
      throw new Error(`The incarnation ${executor.id} is over: a start needs a new id.`);
    this.#rows.set(executor.id, {
      ...executor,
      heartbeatMs: executor.heartbeatMs ?? Math.round(executor.leaseMs / 3),
      startedAt: this.state.now(),
      heartbeatAt: this.state.now(),
      driven: 0,
      draining: false,
      lockHeld: false,
      locked: false,
      status: 'alive',
      proof: null,
      endedAt: null,
    });
    this.#judge(executor.id).joined(executor.id, executor.leaseMs);
  }

  async heartbeat(
    id: string,
    report: { driven: number; draining: boolean; progress: number },
  ): Promise<{ alive: boolean; now: number }> {
    await this.state.before('executors');
    const now = this.state.now();
    const row = this.#rows.get(id);
    if (row?.status !== 'alive') return { alive: false, now };
    const living = [...this.#rows.values()].filter((x) => x.status === 'alive');
    const last = Math.max(...living.map((x) => x.heartbeatAt));
    if (now - last > Math.max(...living.map((x) => x.leaseMs))) this.state.acceptingSince = now;
    row.heartbeatAt = now;
    row.driven = report.driven;
    row.draining = report.draining;
    row.locked = row.lockHeld;
    this.#judge(id).beat(id);
    return { alive: true, now };
  }

  async holdLock(id: string): Promise<{ held: boolean; release(): Promise<void> }> {
    await this.state.before('executors');
    const row = this.#rows.get(id);
    if (row) row.lockHeld = true;
    return {
      get held() {
        return row?.lockHeld ?? false;
      },
      release: async () => {
        if (row) row.lockHeld = false;
      },
    };
  }

  #leaseOver(row: Row): boolean {
    return Math.max(row.heartbeatAt, this.state.acceptingSince) + row.leaseMs < this.state.now();
  }

  async detectLost(me: string, judges = true): Promise<LostExecutor[]> {
    await this.state.before('executors');
    const now = this.state.now();
    const judge = this.#judge(me);
    if (judges && judge.mayJudge(me)) {
      const living = [...this.#rows.values()].filter((row) => row.status === 'alive' && row.id !== me);
      const over = judge.judge(
        living.map((row) => ({
          id: row.id,
          heartbeat_at: String(row.heartbeatAt),
          heartbeat_ms: row.heartbeatMs,
          lease_over: this.#leaseOver(row),
          accepting_long_enough: this.state.acceptingSince + row.leaseMs < now,
          lock_free: row.locked && !row.lockHeld,
        })),
      );
      for (const { id, proof } of over) {
        const row = this.#rows.get(id)!;
        row.status = 'lost';
        row.proof = proof;
        row.endedAt = now;
      }
    }
    const owners = new Set([...this.state.streams.values()].map((stream) => stream.head.owner));
    return [...this.#rows.values()]
      .filter((row) => row.status !== 'alive' && row.id !== me && owners.has(row.id))
      .map(({ id, proof }) => ({ id, proof }));
  }

  suspicionCountsInMs(me: string): number | null {
    return this.#judge(me).countsInMs();
  }

  async recordExit(id: string): Promise<void> {
    await this.state.before('executors');
    const row = this.#rows.get(id);
    if (!row) return;
    if (row.status !== 'left') row.status = 'lost';
    row.proof = 'exit';
    row.lockHeld = false;
    row.endedAt ??= this.state.now();
  }

  async leave(id: string): Promise<void> {
    await this.state.before('executors');
    const row = this.#rows.get(id);
    if (row?.status !== 'alive') return;
    row.status = 'left';
    row.proof = 'left';
    row.endedAt = this.state.now();
  }

  async list(): Promise<ExecutorRow[]> {
    await this.state.before('executors');
    return [...this.#rows.values()].map((row) => ({
      id: row.id,
      host: row.host,
      pid: row.pid,
      version: row.version,
      ...(row.http === undefined ? {} : { http: row.http }),
      status: row.status !== 'alive' ? row.status : row.draining ? 'draining' : 'alive',
      processes: [...this.state.streams.values()].filter((stream) => stream.head.owner === row.id).length,
      capacity: row.capacity,
      leaseMs: row.leaseMs,
      startedAt: new Date(row.startedAt).toISOString(),
      heartbeatAt: new Date(row.heartbeatAt).toISOString(),
      endedAt: row.endedAt === null ? null : new Date(row.endedAt).toISOString(),
      proof: row.proof,
    }));
  }

  async provenOver(ids: string[]): Promise<Set<string>> {
    await this.state.before('executors');
    return new Set(
      ids.filter((id) => {
        const row = this.#rows.get(id);
        if (!row) return true;
        return row.status === 'left' || row.proof !== null || (row.status === 'lost' && this.#leaseOver(row));
      }),
    );
  }
}
