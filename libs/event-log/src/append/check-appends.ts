import type { Append, AppendOutcome, AppendResult } from '../event-log.port.js';

/** Results as append() gives them: what is bad or in doubt is thrown. */
export function settled(outcomes: readonly AppendOutcome[]): AppendResult[] {
  return outcomes.map((outcome) => {
    if (outcome.status === 'bad' || outcome.status === 'in-doubt') throw outcome.error;
    return outcome;
  });
}

/** Wrong use of append is a bug of the caller. */
export function checkAppends(appends: readonly Append[]): void {
  const streams = new Set<string>();
  for (const append of appends) {
    if (streams.has(append.stream)) throw new Error(`The stream ${append.stream} occurs twice in one batch.`);
    streams.add(append.stream);
    if (append.events.length === 0) throw new Error(`An append to ${append.stream} without events.`);
    if (append.expected !== 'none' && !(Number.isInteger(append.expected) && append.expected > 0))
      throw new Error(
        `An append to ${append.stream} expects the version ${append.expected}: it must be above 0, or none.`,
      );
  }
}
