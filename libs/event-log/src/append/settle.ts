import type { RecordedEvent } from '@baton/process';
import { type Append, type AppendResult, BadEvent, type EventLog, InDoubt } from '../event-log.port.js';

type Log = Pick<EventLog, 'appendEach' | 'read'>;

/** How long to wait before the same is sent again: growing, jittered, at most two seconds. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  return Math.min(2_000, 20 * 2 ** Math.min(failures, 10)) * (0.5 + random());
}

/**
 * Sends one append until its fate is known (design 2, rule 4): a lost answer is in doubt, and the version decides.
 * While the stream stands at the expected version only the same append is sent again; once it is beyond, the event at
 * expected + 1 tells whether it was ours. Throws BadEvent, or InDoubt when `signal` ended the waiting.
 */
export async function appendUntilSettled(
  log: Log,
  append: Append,
  pause: (ms: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<AppendResult> {
  for (let failures = 0; ; failures += 1) {
    const [outcome] = await log.appendEach([append]);
    if (outcome!.status === 'appended') return outcome!;
    if (outcome!.status === 'bad') throw outcome!.error;
    if (outcome!.status === 'refused') {
      return failures === 0 ? outcome! : await ours(log, append, pause, signal);
    }
    if (signal?.aborted) throw outcome!.error;
    await pause(backoffMs(failures));
  }
}

async function ours(
  log: Log,
  append: Append,
  pause: (ms: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<AppendResult> {
  for (let failures = 0; ; failures += 1) {
    try {
      return resultIfOurs(append, await log.read(append.stream, versionBefore(append), append.events.length));
    } catch (error) {
      if (error instanceof BadEvent) throw error;
      if (signal?.aborted) throw new InDoubt('Ended before the fate of an append was known.', { cause: error });
      await pause(backoffMs(failures));
    }
  }
}

export function versionBefore(append: Append): number {
  return append.expected === 'none' ? 0 : append.expected;
}

/** What stands behind the expected version: our own event (by its id) means that the append took place. */
export function resultIfOurs(append: Append, found: readonly RecordedEvent[]): AppendResult {
  const first = found[0];
  if (!first || first.id !== append.events[0]!.id) return { status: 'refused' };
  const version = versionBefore(append) + append.events.length;
  const last = found.find((event) => event.sequence === version) ?? first;
  return { status: 'appended', version, recordedAt: last.recordedAt };
}
