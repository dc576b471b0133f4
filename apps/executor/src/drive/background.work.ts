import { type Clock, wait } from '../clock/clock.port.js';
import type { Logger } from '../executor.ports.js';

/**
 * Work that must be done and may be repeated: tried again with growing pauses until it is done or this incarnation ends.
 * What is left undone at its end is found by a scan or by the next claim.
 */
export class BackgroundWork {
  private stopped = false;
  private open = 0;
  private readonly idle = new Set<() => void>();

  constructor(private readonly ports: { clock: Clock; random(): number; logger: Logger }) {}

  stop(): void {
    this.stopped = true;
  }

  /** Resolves when it is done; never, when this incarnation ends before. */
  start(name: string, work: () => Promise<void>): Promise<void> {
    this.open += 1;
    return new Promise((resolve) => {
      void this.repeat(name, work)
        .then((isDone) => {
          if (isDone) resolve();
        })
        .finally(() => this.ended());
    });
  }

  whenIdle(): Promise<void> {
    return this.open === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.idle.add(resolve);
        });
  }

  private ended(): void {
    this.open -= 1;
    if (this.open > 0) return;
    for (const call of this.idle) call();
    this.idle.clear();
  }

  private async repeat(name: string, work: () => Promise<void>): Promise<boolean> {
    for (let pause = 50; !this.stopped; pause = Math.min(pause * 2, 5000)) {
      try {
        await work();
        return true;
      } catch (error) {
        this.ports.logger.warn({ work: name, error: String(error) }, 'tried again');
      }
      await wait(this.ports.clock, pause * (0.5 + this.ports.random()));
    }
    return false;
  }
}
