/** What the database says of another incarnation at one look. */
export interface JudgedExecutor {
  id: string;
  /** As the database writes it: compared, never calculated with. */
  heartbeat_at: string;
  heartbeat_ms: number;
  lease_over: boolean;
  accepting_long_enough: boolean;
  lock_free: boolean;
}

/**
 * The rules by which one incarnation judges others (design 2, "Claiming and liveness").
 * Invariants:
 * 1. A lease that ran out by the database's clock is a proof.
 * 2. A free lock counts only at a second look, a quarter of a heartbeat later or more, with no heartbeat between: who
 *    loses the session of its lock and lives heartbeats at once. And only when the database has accepted writes for a
 *    lease: a restart of the database frees all locks.
 * 3. Who has not itself written heartbeats without a gap for a whole lease judges nobody.
 */
export class LivenessJudge {
  readonly #self = new Map<string, { leaseMs: number; since: number; last: number }>();
  readonly #suspected = new Map<string, { heartbeat: string; countsAt: number }>();
  constructor(private readonly monotonicMs: () => number) {}

  joined(id: string, leaseMs: number): void {
    const now = this.monotonicMs();
    this.#self.set(id, { leaseMs, since: now, last: now });
  }

  beat(id: string): void {
    const self = this.#self.get(id);
    if (!self) return;
    const now = this.monotonicMs();
    if (now - self.last > self.leaseMs) self.since = now;
    self.last = now;
  }

  mayJudge(id: string): boolean {
    const self = this.#self.get(id);
    // Somebody that is no executor (a scheduler) has no heartbeat to have missed.
    if (!self) return true;
    const now = this.monotonicMs();
    return now - self.last <= self.leaseMs && now - self.since >= self.leaseMs;
  }

  /**
   * Until the first suspicion counts, if nothing speaks against it before (invariant 2). Null: nobody is suspected, or
   * only of late, by who may not judge any more.
   */
  countsInMs(): number | null {
    const now = this.monotonicMs();
    let first = Number.POSITIVE_INFINITY;
    for (const { countsAt } of this.#suspected.values()) if (countsAt > now) first = Math.min(first, countsAt);
    return first === Number.POSITIVE_INFINITY ? null : first - now;
  }

  judge(found: readonly JudgedExecutor[]): { id: string; heartbeat_at: string; proof: 'lease' | null }[] {
    const over: { id: string; heartbeat_at: string; proof: 'lease' | null }[] = [];
    const present = new Set(found.map((x) => x.id));
    for (const id of this.#suspected.keys()) if (!present.has(id)) this.#suspected.delete(id);
    for (const x of found) {
      if (!x.accepting_long_enough) {
        this.#suspected.delete(x.id);
      } else if (x.lease_over) {
        over.push({ id: x.id, heartbeat_at: x.heartbeat_at, proof: 'lease' });
      } else if (!x.lock_free) {
        this.#suspected.delete(x.id);
      } else if (this.#suspected.get(x.id)?.heartbeat !== x.heartbeat_at) {
        this.#suspected.set(x.id, { heartbeat: x.heartbeat_at, countsAt: this.monotonicMs() + x.heartbeat_ms / 4 });
      } else if (this.monotonicMs() >= this.#suspected.get(x.id)!.countsAt) {
        over.push({ id: x.id, heartbeat_at: x.heartbeat_at, proof: null });
      }
    }
    for (const x of over) this.#suspected.delete(x.id);
    return over;
  }
}
