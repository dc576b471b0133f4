import { isLifecycleEvent } from '@baton/contracts';
import type { RecordedEvent } from '@baton/process';
import type { Stranger } from './stranger.js';

const inboxed = new Set(['ProcessRequested', 'ProcessCompleted', 'ProcessFailed']);

/** The topics hold what the log holds: no event less, none that it does not have, in the order of each process. */
export function judgeTopics(
  streams: readonly (readonly RecordedEvent[])[],
  stranger: Stranger,
  handled: ReadonlyMap<string, number>,
): string[] {
  const { events, lifecycle, anew } = stranger;
  const broken = [...stranger.broken];
  for (const follower of [events, lifecycle, anew.events, anew.lifecycle]) broken.push(...follower.broken);
  const all = streams.flat();
  const ids = new Set(all.map(({ id }) => id));
  for (const { id, type, stream, sequence } of all) {
    const what = `${stream} ${sequence} (${type})`;
    if (!events.ids.has(id)) broken.push(`${what} never arrived`);
    if (!anew.events.ids.has(id)) broken.push(`${what} is not with the broker that was empty`);
    if (isLifecycleEvent(type)) {
      if (!lifecycle.ids.has(id)) broken.push(`${what} never arrived in the lifecycle`);
      if (!anew.lifecycle.ids.has(id)) broken.push(`${what} is not in the lifecycle of the broker that was empty`);
    } else if (lifecycle.ids.has(id)) broken.push(`${what} is in the lifecycle`);
    const times = handled.get(id) ?? 0;
    if (inboxed.has(type) && times !== 1) broken.push(`${what} had its effect ${times} times`);
  }
  for (const id of events.ids) if (!ids.has(id)) broken.push(`${id} arrived and is not in the log`);
  return broken;
}
