import type { RecordedEvent } from '@baton/process';
import type { Arrival } from './stranger.js';

export interface Phase {
  name: string;
  from: number;
  to: number;
  /** The most events that were in the log and not yet with the stranger. */
  backlogPeak: number;
  /** From the end of the fault until all that the log held then had arrived. */
  drainMs: number | null;
}

export interface PhaseFigures extends Phase {
  requested: number;
  ended: number;
  endedPerSecond: number;
  /** From request to end, of those that ended in it. */
  durationP50: number;
  recorded: number;
  arrived: number;
  repetitions: number;
  delayP50: number;
  delayMax: number;
}

const ends = new Set(['ProcessCompleted', 'ProcessFailed', 'ProcessCancelled']);

/** What the log and the stranger say of each phase, by the times that they recorded. */
export function figuresOf(
  phases: readonly Phase[],
  streams: Iterable<readonly RecordedEvent[]>,
  arrivals: readonly Arrival[],
): PhaseFigures[] {
  const within = phases.map(() => ({ requested: 0, recorded: 0, durations: [] as number[] }));
  const placeOf = (at: number) => phases.findIndex(({ from, to }) => at >= from && at < to);
  for (const events of streams) {
    const begun = Date.parse(events[0]?.recordedAt ?? '');
    for (const event of events) {
      const at = Date.parse(event.recordedAt);
      const phase = within[placeOf(at)];
      if (phase === undefined) continue;
      phase.recorded += 1;
      if (event.type === 'ProcessRequested') phase.requested += 1;
      if (ends.has(event.type)) phase.durations.push(at - begun);
    }
  }
  return phases.map((phase, index) => {
    const { requested, recorded, durations } = within[index] ?? { requested: 0, recorded: 0, durations: [] };
    const heard = arrivals.filter(({ arrivedAt }) => arrivedAt >= phase.from && arrivedAt < phase.to);
    const fresh = heard.filter(({ isRepetition }) => !isRepetition);
    const delays = fresh.map(({ arrivedAt, recordedAt }) => arrivedAt - recordedAt);
    return {
      ...phase,
      requested,
      recorded,
      ended: durations.length,
      endedPerSecond: (1000 * durations.length) / Math.max(1, phase.to - phase.from),
      durationP50: at(durations, 0.5),
      arrived: fresh.length,
      repetitions: heard.length - fresh.length,
      delayP50: at(delays, 0.5),
      delayMax: at(delays, 1),
    };
  });
}

export function textOf(figures: readonly PhaseFigures[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${((figure.to - figure.from) / 1000).toFixed(0)} s`,
    String(figure.requested),
    `${figure.ended} (${figure.endedPerSecond.toFixed(1)}/s)`,
    `${figure.durationP50} ms`,
    String(figure.recorded),
    String(figure.arrived),
    String(figure.repetitions),
    `${figure.delayP50} / ${figure.delayMax} ms`,
    String(figure.backlogPeak),
    figure.drainMs === null ? '–' : `${(figure.drainMs / 1000).toFixed(1)} s`,
  ]);
  const head = [
    'phase',
    'for',
    'requested',
    'ended',
    'took p50',
    'recorded',
    'arrived',
    'repeated',
    'delay p50 / max',
    'backlog',
    'drained in',
  ];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}

function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
}
