import type { BatonServer } from './baton.server.js';
import { EndsWatch } from './ends.watch.js';

export interface LoopResult {
  seconds: number;
  /** From the moment that the client sent the request to the commit of the end, ms. */
  latencies: number[];
  streams: string[];
}

/**
 * Keeps so many processes in flight over the public API until all have ended. How long each took is read from the log
 * afterwards, so that the looking for ends does not blur it.
 */
export async function closedLoop(
  baton: BatonServer,
  definition: string,
  wanted: { processes: number; inFlight: number; single: boolean },
  inputs: Record<string, string | number> = {},
): Promise<LoopResult> {
  const sentAt = new Map<string, number>();
  const open = new Set<string>();
  const sending = new Set<Promise<void>>();
  const streams: string[] = [];
  let sent = 0;
  let failed: unknown;
  const send = (count: number) => {
    const at = Date.now();
    const note = (id: string) => {
      sentAt.set(id, at);
      open.add(id.slice(id.indexOf('-') + 1));
      streams.push(id);
    };
    const request = { definition, inputs };
    const track = (work: Promise<void>) => {
      const tracked: Promise<void> = work
        .catch((error: unknown) => {
          failed ??= error;
        })
        .finally(() => sending.delete(tracked));
      sending.add(tracked);
    };
    sent += count;
    if (wanted.single) for (let n = 0; n < count; n++) track(baton.client.request(request).then(({ id }) => note(id)));
    else
      track(
        baton.client.requestMany(Array.from({ length: count }, () => request)).then((answers) => {
          for (const answer of answers) {
            if (!('id' in answer)) throw new Error(`refused: ${JSON.stringify(answer)}`);
            note(answer.id);
          }
        }),
      );
  };
  const watch = await EndsWatch.start(baton);
  const began = performance.now();
  try {
    let inFlight = Math.min(wanted.inFlight, wanted.processes);
    send(inFlight);
    for (let ended = 0; ended < wanted.processes; ) {
      if (failed !== undefined) throw failed;
      const over = await watch.ended(open);
      for (const id of over) open.delete(id);
      ended += over.length;
      inFlight -= over.length;
      const more = Math.min(wanted.inFlight - inFlight, wanted.processes - sent);
      if (more > 0) {
        inFlight += more;
        send(more);
      }
    }
  } finally {
    await watch.stop();
  }
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(sending);
  const ends = await baton.query<{ id: string; type: string; at: number }>(lastEvents, [
    streams.map((id) => id.slice(id.indexOf('-') + 1)),
  ]);
  const cell = streams[0]?.slice(0, streams[0].indexOf('-') + 1) ?? '';
  const latencies = ends.map(({ id, type, at }) => {
    if (type !== 'ProcessCompleted') throw new Error(`${id} ended with ${type}`);
    return at - (sentAt.get(cell + id) ?? 0);
  });
  return { seconds, latencies, streams };
}

const lastEvents = `select p.id, e.type, extract(epoch from e.recorded_at)::float8 * 1000 as at
  from process p join event e on e.stream_id = p.id and e.sequence = p.version where p.id = any($1::uuid[])`;
