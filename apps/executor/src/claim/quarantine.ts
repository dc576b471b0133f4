import type { ProcessEvent } from '@baton/process';

export interface Deaths {
  /** Executors that died with it running since its last progress (or that of one of its operators). */
  count: number;
  /** Whether the last of them drove it alone. */
  alone: boolean;
}

/**
 * How often an executor died while it drove this process, without progress in between (design 2, "Quarantine").
 * Counted from the events alone, the death that is about to be recorded included.
 *
 * Q1. Progress of the process is an outcome, a parking or a release; it sets the count back.
 * Q2. An operator that was running at each death and never got an outcome counts by itself, whatever its siblings did.
 * Q3. From `limit - 1` deaths on, only deaths while alone count: an innocent that shared an executor with a killer goes on.
 */
export function countDeaths(events: readonly ProcessEvent[], limit: number): Deaths {
  let whole = 0;
  let alone = false;
  const running = new Map<string, number>();
  const death = (): void => {
    const counts = (before: number): number => (before >= limit - 1 && !alone ? before : before + 1);
    whole = counts(whole);
    for (const [path, before] of running) running.set(path, counts(before));
  };
  for (const event of events) {
    switch (event.type) {
      case 'ProcessTakenOver':
        death();
        alone = event.data.alone === true;
        break;
      case 'ProcessStarted':
      case 'ProcessClaimed':
        alone = false;
        break;
      case 'ProcessParked':
      case 'ProcessReleased':
        whole = 0;
        running.clear();
        break;
      case 'OperatorStarted':
        if (event.data.class === 'effect' && !running.has(event.data.path)) running.set(event.data.path, 0);
        break;
      case 'OperatorCompleted':
      case 'OperatorFailed':
      case 'OperatorCancelled':
      case 'OperatorSkipped':
        whole = 0;
        running.delete(event.data.path);
        break;
      case 'IncidentResolved':
        whole = 0;
        if (event.data.path === undefined) running.clear();
        else running.delete(event.data.path);
        break;
      default:
        break;
    }
  }
  death();
  return { count: Math.max(whole, ...running.values()), alone };
}

/** Operators that are completed and are passed over by a takeover: executed once, never again. */
export function completedOperators(events: readonly ProcessEvent[]): number {
  const completed = new Set<string>();
  for (const event of events) if (event.type === 'OperatorCompleted') completed.add(event.data.path);
  return completed.size;
}
