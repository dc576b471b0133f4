import { setTimeout as pause } from 'node:timers/promises';
import { openPostgresCell } from '@baton/event-log';
import { evolve, fromSnapshot, initialState, stateShape, toSnapshot } from '@baton/process';
import type { BatonServer } from './baton.server.js';
import { loopOver } from './definitions.js';
import type { Figures } from './figures.js';

/** W5: long processes: how fast events are folded, and what a process of many events costs who takes it over. */
export async function folding(baton: BatonServer, events: number, figures: Figures): Promise<void> {
  await baton.client.publish(loopOver);
  const items = Math.floor(events / 2);
  const began = performance.now();
  const { id } = await baton.client.request({
    definition: 'bench/loop',
    inputs: { items: Array.from({ length: items }, (_, n) => n) },
  });
  for (;;) {
    const [row] = await baton.query<{ over: boolean }>(
      `select exists (select from event where stream_id = $1 and type = 'ProcessCompleted') as over`,
      [id.slice(id.indexOf('-') + 1)],
    );
    if (row?.over) break;
    await pause(100);
  }
  figures.add(`W5 forEach of ${items}: items`, '/s', (items * 1000) / (performance.now() - began));
  const cell = openPostgresCell({
    url: baton.whereabouts().database,
    cell: id.slice(0, id.indexOf('-')),
    application: 'bench',
  });
  try {
    await cell.log.read(id, 0, 1); // connects
    const readAt = performance.now();
    const all = await cell.log.read(id);
    const read = performance.now() - readAt;
    for (const round of ['warm', 'counted']) {
      const foldAt = performance.now();
      let state = initialState(id);
      for (const event of all) state = evolve(state, event);
      const took = performance.now() - foldAt;
      if (round === 'warm') continue;
      figures.add('W5 events folded', '/s', (all.length * 1000) / took);
      figures.add(`W5 a process of ${all.length} events read and folded, without a snapshot`, 'ms', read + took);
      await cell.snapshots.save(id, stateShape, all.length, toSnapshot(state));
    }
    const snapshotAt = performance.now();
    const snapshot = await cell.snapshots.load(id, stateShape);
    const restored = snapshot === null ? undefined : fromSnapshot(snapshot.state);
    if (restored === undefined) throw new Error('the snapshot cannot be read back');
    figures.add(`W5 a process of ${all.length} events, from its snapshot`, 'ms', performance.now() - snapshotAt);
  } finally {
    await cell.close();
  }
}

/** W5: answers from outside into one process, a hundred under way at a time. */
export async function answers(baton: BatonServer, count: number, figures: Figures): Promise<void> {
  await baton.client.publish(`kind: Process
name: bench/answers
operators:
${Array.from({ length: count }, (_, n) => `  r${n}: { type: receive, message: answer-${n} }`).join('\n')}
`);
  const { id } = await baton.client.request({ definition: 'bench/answers', inputs: {} });
  const uuid = id.slice(id.indexOf('-') + 1);
  const receivers = async (): Promise<number> =>
    (await baton.query<{ n: number }>('select count(*)::int as n from receiver where stream_id = $1', [uuid]))[0]?.n ??
    0;
  while ((await receivers()) < count) await pause(50);
  const began = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      while (next < count) {
        const name = `answer-${next++}`;
        await baton.client.sendToProcess(id, { name, payload: { name } });
      }
    }),
  );
  figures.add('W5 answers from outside into one process', '/s', (count * 1000) / (performance.now() - began));
}
