import type { Pool } from 'pg';
import type { ExecutorRegistry, ExecutorRow, LostExecutor } from '../event-log.port.js';
import { type JudgedExecutor, LivenessJudge } from '../liveness/liveness-judge.js';
import { heartbeat } from '../sql/heartbeat.sql.js';
import { joinExecutor } from '../sql/join-executor.sql.js';
import { judgeExecutors } from '../sql/judge-executors.sql.js';
import { leaveExecutor } from '../sql/leave-executor.sql.js';
import { listExecutors } from '../sql/list-executors.sql.js';
import { lostWithProcesses } from '../sql/lost-with-processes.sql.js';
import { markLost } from '../sql/mark-lost.sql.js';
import { provenOver } from '../sql/proven-over.sql.js';
import { recordExit } from '../sql/record-exit.sql.js';
import { hintToCluster } from './postgres-wake-up.js';
import { SessionLock } from './session-lock.js';

/**
 * Incarnations of executors and what is known of their life and death.
 * Invariants: 1. who is marked lost never heartbeats again; 2. a free lock is a suspicion, not a proof;
 * 3. a restart of the database makes nobody lost; 4. who could not write its own heartbeat for a lease judges nobody.
 */
export class PostgresExecutorRegistry implements ExecutorRegistry {
  readonly #judge: LivenessJudge;
  readonly #locks = new Map<string, SessionLock>();
  constructor(
    /** Few connections of its own, so that the appends' pool can never keep a heartbeat waiting. */
    private readonly pool: Pool,
    private readonly url: string,
    monotonicMs: () => number = () => performance.now(),
  ) {
    this.#judge = new LivenessJudge(monotonicMs);
  }

  async join(executor: Parameters<ExecutorRegistry['join']>[0]): Promise<void> {
    const { rowCount } = await this.pool.query(joinExecutor, [
      executor.id,
      executor.host,
      executor.pid,
      executor.version,
      executor.http ?? null,
      executor.capacity,
      executor.leaseMs,
      executor.heartbeatMs ?? Math.round(executor.leaseMs / 3),
    ]);
    if (rowCount !== 1) throw new Error(`The incarnation ${executor.id} is over: a start needs a new id.`);
    this.#judge.joined(executor.id, executor.leaseMs);
  }

  async heartbeat(
    id: string,
    report: { driven: number; draining: boolean; progress: number },
  ): Promise<{ alive: boolean; now: number }> {
    const locked = this.#locks.get(id)?.held ?? false;
    const { rows } = await this.pool.query<{ now_ms: number }>({
      name: 'heartbeat',
      text: heartbeat,
      values: [id, report.driven, report.draining, report.progress, locked],
    });
    const row = rows[0];
    if (row) {
      this.#judge.beat(id);
      return { alive: true, now: row.now_ms };
    }
    const clock = await this.pool.query<{ now_ms: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms',
    );
    return { alive: false, now: clock.rows[0]!.now_ms };
  }

  async holdLock(id: string, onLost?: () => void): Promise<{ held: boolean; release(): Promise<void> }> {
    // One session per incarnation, which comes back by itself: a second one would only compete with the first.
    let lock = this.#locks.get(id);
    if (!lock) {
      lock = new SessionLock(this.url, `baton executor ${id}`, onLost);
      this.#locks.set(id, lock);
      await lock.start();
    }
    const session = lock;
    return {
      get held() {
        return session.held;
      },
      release: async () => {
        if (this.#locks.get(id) === session) this.#locks.delete(id);
        await session.stop();
      },
    };
  }

  /** Both looks at once: a takeover waits for no judgement of others when a supervisor has told of an end. */
  async detectLost(me: string, judges = true): Promise<LostExecutor[]> {
    const look = async (): Promise<LostExecutor[]> =>
      (await this.pool.query<LostExecutor>({ name: 'lost_with_processes', text: lostWithProcesses, values: [me] }))
        .rows;
    if (!judges || !this.#judge.mayJudge(me)) return look();
    const [{ rows }, lost] = await Promise.all([
      this.pool.query<JudgedExecutor>({ name: 'judge_executors', text: judgeExecutors, values: [me] }),
      look(),
    ]);
    const over = this.#judge.judge(rows);
    if (over.length === 0) return lost;
    await this.pool.query(markLost, [over.map((x) => x.id), over.map((x) => x.heartbeat_at), over.map((x) => x.proof)]);
    return look();
  }

  suspicionCountsInMs(): number | null {
    return this.#judge.countsInMs();
  }

  /** Its peers are told, too: without the hint they would find it only at their next look, up to a sixth of a lease later. */
  async recordExit(id: string, detail: { code: number | null; signal: string | null }): Promise<void> {
    await this.pool.query(recordExit, [id, JSON.stringify(detail), ...hintToCluster]);
  }

  async leave(id: string): Promise<void> {
    await this.pool.query(leaveExecutor, [id]);
  }

  async list(): Promise<ExecutorRow[]> {
    const { rows } = await this.pool.query<{
      id: string;
      host: string;
      pid: number;
      version: string;
      http: string | null;
      capacity: number;
      lease_ms: number;
      started_at: Date;
      heartbeat_at: Date;
      ended_at: Date | null;
      proof: ExecutorRow['proof'];
      status: ExecutorRow['status'];
      processes: number;
    }>(listExecutors);
    return rows.map((row) => ({
      id: row.id,
      host: row.host,
      pid: row.pid,
      version: row.version,
      ...(row.http === null ? {} : { http: row.http }),
      status: row.status,
      processes: row.processes,
      capacity: row.capacity,
      leaseMs: row.lease_ms,
      startedAt: row.started_at.toISOString(),
      heartbeatAt: row.heartbeat_at.toISOString(),
      endedAt: row.ended_at?.toISOString() ?? null,
      proof: row.proof,
    }));
  }

  async provenOver(ids: string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const { rows } = await this.pool.query<{ id: string }>(provenOver, [ids]);
    return new Set(rows.map((row) => row.id));
  }
}
