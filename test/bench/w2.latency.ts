import { setTimeout as pause } from 'node:timers/promises';
import type { BatonServer } from './baton.server.js';
import { closedLoop } from './closed.loop.js';
import { type Figures, median, quantile } from './figures.js';

/** W2: one process at a time: what an operator costs when nothing is shared. */
export async function latency(
  baton: BatonServer,
  processes: number,
  figures: Figures,
  prefix: string,
): Promise<number> {
  const { latencies, streams } = await closedLoop(baton, 'bench/ten', { processes, inFlight: 1, single: true });
  const rows = await baton.query<{ ms: number }>(
    `select extract(epoch from max(recorded_at) - min(recorded_at))::float8 * 1000 as ms
      from event where stream_id = any($1::uuid[]) and type in ('OperatorStarted', 'ProcessCompleted') group by stream_id`,
    [streams.map(uuidOf)],
  );
  // From the commit of the first OperatorStarted to that of ProcessCompleted there are ten commits, one after the other.
  const perOperator = rows.map(({ ms }) => ms / 10);
  figures.add(`${prefix}per operator`, 'ms', median(perOperator));
  figures.add(`${prefix}per operator p99`, 'ms', quantile(perOperator, 0.99));
  figures.add(`${prefix}request to end p50`, 'ms', quantile(latencies, 0.5));
  return median(perOperator);
}

/** W2a: requests come at their own pace; how long until the first operator begins. */
export async function requestToFirstOperator(
  baton: BatonServer,
  requests: number,
  perSecond: number,
  figures: Figures,
  prefix: string,
): Promise<void> {
  const sentAt = new Map<string, number>();
  const sending: Promise<void>[] = [];
  const began = performance.now();
  for (let n = 0; n < requests; n++) {
    await pause(Math.max(0, began + (n * 1000) / perSecond - performance.now()));
    const at = Date.now();
    sending.push(
      baton.client.request({ definition: 'bench/ten', inputs: {} }).then(({ id }) => {
        sentAt.set(uuidOf(id), at);
      }),
    );
  }
  await Promise.all(sending);
  const ids = [...sentAt.keys()];
  // The operator's own start is in its outcome.
  for (;;) {
    const rows = await baton.query<{ id: string; at: string }>(
      `select stream_id as id, data ->> 'startedAt' as at from event
        where stream_id = any($1::uuid[]) and type = 'OperatorCompleted' and data ->> 'path' = 'o0'`,
      [ids],
    );
    if (rows.length < ids.length) {
      await pause(50);
      continue;
    }
    const took = rows.map(({ id, at }) => Date.parse(at) - (sentAt.get(id) ?? 0));
    figures.add(`${prefix}request to first operator p50`, 'ms', quantile(took, 0.5));
    figures.add(`${prefix}request to first operator p99`, 'ms', quantile(took, 0.99));
    return;
  }
}

function uuidOf(stream: string): string {
  return stream.slice(stream.indexOf('-') + 1);
}
