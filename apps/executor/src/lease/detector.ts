import type { ExecutorRegistry } from '@baton/event-log';
import type { Clock } from '../clock/clock.port.js';
import type { Logger } from '../executor.ports.js';
import type { LeaseKeeper } from './lease.keeper.js';

/**
 * Finds incarnations that are lost, and the proof that they are over (design 2, rule b).
 * Boundary: what the database's rules of suspicion and proof are stands in the registry; who takes over is the claimer's matter.
 *
 * D1. It judges only while its own lease allows it to (L4); what others found or proved it learns before.
 * D2. A proof is final and kept; nobody is proven over who was not told so by the registry.
 * D3. Whoever waits for a proof is told when it comes, without anything else having to happen.
 * D4. It looks once at a time; a hint that comes meanwhile is followed by one more look.
 * D5. What it suspects it looks at again in the moment in which the suspicion counts.
 */
export class Detector {
  private readonly proven = new Set<string>();
  private readonly awaited = new Map<string, Set<() => void>>();
  private stopped = false;
  private looking = false;
  private again = false;
  private cancelTimer: () => void = () => undefined;

  constructor(
    private readonly ports: {
      clock: Clock;
      random(): number;
      registry: Pick<ExecutorRegistry, 'detectLost' | 'suspicionCountsInMs' | 'provenOver'>;
      lease: Pick<LeaseKeeper, 'mayJudge' | 'holds'>;
      logger: Logger;
    },
    private readonly settings: { leaseMs: number },
    private readonly incarnation: string,
    private readonly onLost: (lost: string[]) => void,
  ) {}

  start(): void {
    this.schedule();
  }

  stop(): void {
    this.stopped = true;
    this.cancelTimer();
  }

  /** Something hints that an executor died: look now. */
  hint(): void {
    if (this.looking) this.again = true;
    else this.schedule(0);
  }

  isOver(incarnation: string): boolean {
    return incarnation !== this.incarnation && this.proven.has(incarnation);
  }

  /** Calls once when one of them is proven over. */
  whenOver(incarnations: readonly string[], call: () => void): () => void {
    for (const id of incarnations) {
      const calls = this.awaited.get(id) ?? new Set();
      calls.add(call);
      this.awaited.set(id, calls);
    }
    this.hint();
    return () => {
      for (const id of incarnations) {
        const calls = this.awaited.get(id);
        calls?.delete(call);
        if (calls?.size === 0) this.awaited.delete(id);
      }
    };
  }

  /** D5. Often: a look, and another a quarter of a heartbeat later, find a crash by its free lock in a third of a second. */
  private schedule(ms = (this.settings.leaseMs / 36) * (0.75 + this.ports.random() / 2)): void {
    this.cancelTimer();
    if (this.stopped) return;
    const counts = this.ports.registry.suspicionCountsInMs(this.incarnation);
    if (counts !== null) ms = Math.min(ms, Math.ceil(counts));
    this.cancelTimer = this.ports.clock.after(ms, () => this.turn());
  }

  /** D4 */
  private turn(): void {
    this.looking = true;
    this.again = false;
    void this.look()
      .catch((error: unknown) => {
        this.ports.logger.warn({ error: String(error) }, 'could not look for lost executors');
      })
      .then(() => {
        this.looking = false;
        if (this.again) this.schedule(0);
        else this.schedule();
      });
  }

  private async look(): Promise<void> {
    if (this.ports.lease.holds()) {
      const lost = await this.ports.registry.detectLost(this.incarnation, this.ports.lease.mayJudge());
      for (const one of lost) if (one.proof !== null) this.proven.add(one.id);
      if (lost.length > 0) this.onLost(lost.map((one) => one.id));
    }
    const unknown = [...this.awaited.keys()].filter((id) => !this.proven.has(id));
    if (unknown.length > 0 && this.ports.lease.holds())
      for (const id of await this.ports.registry.provenOver(unknown)) this.proven.add(id);
    for (const [id, calls] of [...this.awaited]) {
      if (!this.proven.has(id)) continue;
      this.awaited.delete(id);
      for (const call of [...calls]) call();
    }
  }
}
