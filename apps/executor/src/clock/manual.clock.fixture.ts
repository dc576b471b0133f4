import type { Clock } from './clock.port.js';

/** For tests: time that passes when the test says so. */
export class ManualClock implements Clock {
  private now = 1_000_000;
  private wallOffset = 0;
  private readonly timers = new Set<{ at: number; call: () => void }>();

  wall(): number {
    return this.now + this.wallOffset;
  }

  monotonic(): number {
    return this.now;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.now + ms, call };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  stepWall(ms: number): void {
    this.wallOffset += ms;
  }

  /** Calls what is due, in order; what was promised meanwhile is settled between. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await settled();
      const due = [...this.timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.timers.delete(due);
      this.now = Math.max(this.now, due.at);
      due.call();
    }
    this.now = end;
    await settled();
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
