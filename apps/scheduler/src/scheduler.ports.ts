import type { createLogPool } from '@baton/event-log';

/** A pool of connections to one cell's database. */
export type LogPool = ReturnType<typeof createLogPool>;

/** Timers as a component may see them: injected, so that a test turns them. */
export interface Clock {
  /** Monotonic, ms. */
  now(): number;
  /** Calls once after `ms`; the answer cancels it. */
  after(ms: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, Math.max(0, Math.min(ms, 3_600_000)));
    return () => clearTimeout(timer);
  },
};

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Counters and durations. */
export interface Meter {
  count(name: string, value?: number, attributes?: Record<string, string>): void;
  record(name: string, value: number, attributes?: Record<string, string>): void;
}

export const silentMeter: Meter = { count: () => undefined, record: () => undefined };

/** Who the scheduler is in events that it causes. */
export const schedulerActor = { id: 'system:scheduler' };
