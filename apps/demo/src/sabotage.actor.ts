/**
 * Kills one executor in the middle and freezes another beyond its lease, as a bad night would.
 * Signals go to the process id only; the supervisor starts a killed one again by itself.
 */
export interface Victim {
  id: string;
  pid: number;
  processes: number;
}

export class SabotageActor {
  killed: { executor: string; pid: number; at: number } | null = null;
  frozen: { executor: string; pid: number; at: number; wokenAt: number | null } | null = null;

  kill(victims: readonly Victim[]): Victim | null {
    const victim = busiest(victims);
    if (!victim) return null;
    process.kill(victim.pid, 'SIGKILL');
    this.killed = { executor: victim.id, pid: victim.pid, at: Date.now() };
    return victim;
  }

  freeze(victims: readonly Victim[]): Victim | null {
    const victim = busiest(victims.filter((v) => v.id !== this.killed?.executor));
    if (!victim) return null;
    process.kill(victim.pid, 'SIGSTOP');
    this.frozen = { executor: victim.id, pid: victim.pid, at: Date.now(), wokenAt: null };
    return victim;
  }

  wake(): void {
    if (!this.frozen || this.frozen.wokenAt !== null) return;
    process.kill(this.frozen.pid, 'SIGCONT');
    this.frozen.wokenAt = Date.now();
  }
}

function busiest(victims: readonly Victim[]): Victim | null {
  return [...victims].sort((a, b) => b.processes - a.processes)[0] ?? null;
}
