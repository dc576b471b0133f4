import { setTimeout as pause } from 'node:timers/promises';
import type { BatonServer } from './baton.server.js';

export interface LoopResult {
  seconds: number;
  /** From the moment that the client sent the request to the commit of the end, ms. */
  latencies: number[];
  streams: string[];
}

/**
 * Keeps so many processes in flight over the public API until all have ended. Ends are learnt from the heads, which costs
 * next to nothing; how long each took is read from the log afterwards, so that the looking does not blur it.
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
  const began = performance.now();
  let inFlight = Math.min(wanted.inFlight, wanted.processes);
  send(inFlight);
  let ended = 0;
  while (ended < wanted.processes) {
    if (failed !== undefined) throw failed;
    const looked = performance.now();
    const over = open.size === 0 ? [] : await endedOf(baton, [...open]);
    const lookedFor = performance.now() - looked;
    for (const { id } of over) open.delete(id);
    ended += over.length;
    inFlight -= over.length;
    const more = Math.min(wanted.inFlight - inFlight, wanted.processes - sent);
    if (more > 0) {
      inFlight += more;
      send(more);
    }
    // Looking takes at most a fifth of the time, and of the database's, whatever the machine is busy with. With one in
    // flight it is rarer still: on two cores each look would stand in the way of the one process that is timed.
    if (ended < wanted.processes) await pause(Math.max(wanted.inFlight === 1 ? 20 : 5, 4 * lookedFor));
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

async function endedOf(baton: BatonServer, open: string[]): Promise<{ id: string }[]> {
  const { rows } = await baton.pool.query<{ id: string }>({ name: 'ended', text: endedHeads, values: [open] });
  return rows;
}

/**
 * Ended: nobody owns it, and nothing is due. One that was only requested or scheduled has fewer than three events.
 * `offset 0` keeps the planner on the key: it would rather read all heads without an owner, once for each id.
 */
const endedHeads = `select p.id from unnest($1::uuid[]) s(id)
  cross join lateral (select * from process where id = s.id offset 0) p
  where p.owner is null and p.runnable_at is null and p.version > 2`;
const lastEvents = `select p.id, e.type, extract(epoch from e.recorded_at)::float8 * 1000 as at
  from process p join event e on e.stream_id = p.id and e.sequence = p.version where p.id = any($1::uuid[])`;
