import type { Clock } from '../clock/clock.port.js';

/**
 * Whether this executor makes room for a suspect that nobody has taken yet (Quarantine).
 * After a pause of its own chance, so that one executor of several does it, and not for longer than ten leases at a time.
 */
export class RoomForSuspect {
  private state: 'no' | 'waiting' | 'yes' = 'no';
  private seenAt = 0;

  constructor(
    private readonly ports: { clock: Clock; random(): number },
    private readonly settings: { leaseMs: number },
  ) {}

  /** A suspect was seen without an owner while other processes are driven here. */
  seen(begin: () => void): void {
    const { clock } = this.ports;
    this.seenAt = clock.monotonic();
    if (this.state !== 'no') return;
    this.state = 'waiting';
    clock.after(this.settings.leaseMs * 2 * this.ports.random(), () => {
      if (this.state !== 'waiting') return;
      const isStillThere = clock.monotonic() - this.seenAt < this.settings.leaseMs;
      this.state = isStillThere ? 'yes' : 'no';
      if (isStillThere) begin();
    });
    clock.after(this.settings.leaseMs * 10, () => this.clear());
  }

  makesRoom(): boolean {
    return this.state === 'yes';
  }

  clear(): void {
    this.state = 'no';
  }
}
