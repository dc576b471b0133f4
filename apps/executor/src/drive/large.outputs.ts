import type { ArtifactReference, EffectOutcome, Json, ProcessEvent, ProcessState } from '@baton/process';
import { longestData } from '../effects/output.limits.js';

export interface LargeOutput {
  /** Whose `output` is replaced by the reference. */
  event: { path: string; output?: Json };
  text: string;
}

/**
 * Outputs too long for an event that no effect gave: a loop's list, a group's or a `set`'s value, a person's answer.
 * Those of effects were put away by their runner, so that the usual step measures nothing.
 */
export function largeOutputs(events: readonly ProcessEvent[], outcomes: readonly EffectOutcome[]): LargeOutput[] {
  const large: LargeOutput[] = [];
  for (const event of events) {
    if (event.type !== 'OperatorCompleted' || typeof event.data.output !== 'object' || event.data.output === null)
      continue;
    const { path, attempt, output } = event.data;
    if (outcomes.some((outcome) => outcome.path === path && outcome.attempt === attempt)) continue;
    const text = JSON.stringify(output);
    if (Buffer.byteLength(text) > longestData) large.push({ event: event.data, text });
  }
  return large;
}

/** The event and the state that was folded from it hold the reference from now on, as every later fold will. */
export function refer(
  { event, text }: LargeOutput,
  stored: { digest: string; size: number },
  state: ProcessState,
): { digest: string; value: Json } {
  const value = JSON.parse(text) as Json;
  const reference: ArtifactReference = { $artifact: { ...stored, mediaType: 'application/json' } };
  const output: Json = { $artifact: { ...reference.$artifact } };
  event.output = output;
  const operator = state.operators.get(event.path);
  if (operator) operator.output = output;
  return { digest: stored.digest, value };
}
