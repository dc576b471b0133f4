import type { OperatorStatus, ProcessState } from '@baton/process';
import type { Folded, StreamLoader } from '../drive/stream.loader.js';
import type { Candidate } from './claimer.js';
import { completedOperators, countDeaths } from './quarantine.js';

export type Orphan = Candidate & { owner: string };

/** An orphan as it is taken over: folded, and what happened to it before. */
export interface KnownOrphan {
  orphan: Orphan;
  folded: Folded;
  deaths: number;
  passedOver: number;
}

/**
 * Reads orphans for their takeover. Deaths are counted from all events; a long process is spared that where its state alone
 * shows that this death is its first since its progress: a process of 50,000 events is taken over from its snapshot in a
 * tenth of the time that reading it takes. Left out: those that are not understood here, or have moved on since.
 */
export async function readOrphans(
  loader: Pick<StreamLoader, 'fromSnapshot' | 'readWhole'>,
  orphans: readonly Orphan[],
  deathsLimit: number,
): Promise<KnownOrphan[]> {
  const known: KnownOrphan[] = [];
  const whole: Orphan[] = [];
  for (const orphan of orphans) {
    const folded = await loader.fromSnapshot(orphan.stream, orphan.version);
    if (folded === null || !isFirstDeath(folded.state, orphan.owner)) whole.push(orphan);
    else if (folded.version === orphan.version)
      known.push({ orphan, folded, deaths: 1, passedOver: completedIn(folded.state) });
  }
  const read = await loader.readWhole(whole);
  for (const orphan of whole) {
    const one = read.get(orphan.stream);
    if (!one || one.folded.version !== orphan.version) continue;
    const deaths = countDeaths(one.events, deathsLimit).count;
    known.push({ orphan, folded: one.folded, deaths, passedOver: completedOperators(one.events) });
  }
  return known;
}

const open: ReadonlySet<OperatorStatus> = new Set(['running', 'waiting', 'retrying', 'unknown']);

/** Nobody has died with it since its progress, nor with anything that runs: all of that was begun by this owner, once. */
export function isFirstDeath(state: ProcessState, owner: string): boolean {
  if (state.deaths > 0) return false;
  for (const { status, executor, attempt, deaths } of state.operators.values()) {
    if (!open.has(status)) continue;
    if (attempt > 1 || deaths > 0 || (executor !== null && executor !== owner)) return false;
  }
  return true;
}

function completedIn(state: ProcessState): number {
  let completed = 0;
  for (const { status } of state.operators.values()) if (status === 'completed') completed += 1;
  return completed;
}
