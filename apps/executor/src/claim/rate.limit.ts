import type { Clock } from '../clock/clock.port.js';

/** So many a second, at most a second's worth at once. */
export class RateLimit {
  private tokens: number;
  private at: number;

  constructor(
    private readonly clock: Clock,
    private readonly perSecond: number,
  ) {
    this.tokens = perSecond;
    this.at = clock.monotonic();
  }

  available(): number {
    const now = this.clock.monotonic();
    this.tokens = Math.min(this.perSecond, this.tokens + ((now - this.at) / 1000) * this.perSecond);
    this.at = now;
    return Math.floor(this.tokens);
  }

  take(count: number): void {
    this.tokens -= count;
  }
}
