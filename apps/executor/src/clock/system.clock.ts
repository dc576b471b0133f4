import { type Clock, longestWait } from './clock.port.js';

/** The machine's own clocks and timers. */
export class SystemClock implements Clock {
  wall(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(ms: number, call: () => void): () => void {
    const timer = setTimeout(call, Math.max(0, Math.min(ms, longestWait)));
    return () => clearTimeout(timer);
  }
}
