import type { Clock } from './clock.port.js';

/**
 * The database's clock as this process knows it: an offset learnt from heartbeats, carried on by the monotonic clock.
 * Boundary: no component asks the database for the time; a wrong offset makes a timer late or early, never unsafe.
 *
 * C1. Between two readings it runs with the monotonic clock, so a step of this machine's wall clock changes nothing.
 * C2. It never runs ahead of what the database could have said: the reading is taken for the moment the answer came.
 */
export class DatabaseClock {
  private offset: number | null = null;

  constructor(private readonly clock: Clock) {}

  learn(databaseNow: number): void {
    this.offset = databaseNow - this.clock.monotonic();
  }

  now(): number {
    return this.offset === null ? this.clock.wall() : this.clock.monotonic() + this.offset;
  }
}
