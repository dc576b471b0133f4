import { expect, it } from 'vitest';
import { HintGate } from './hint-gate.js';

/** A gate, what it did to its consumer, and its looks, one at a time. */
function gate(ends: () => Promise<{ topic: string; partition: number; offset: string }[]>) {
  const did: string[] = [];
  const state = { isWanted: true };
  const names = (topics: readonly { topic: string }[]) => topics.map(({ topic }) => topic).join();
  let look = () => {};
  let rested = () => {};
  const subject = new HintGate({
    consumer: {
      pause: (topics) => void did.push(`pause ${names(topics)}`),
      resume: (topics) => void did.push(`resume ${names(topics)}`),
      seek: ({ topic, partition, offset }) => void did.push(`seek ${topic} ${partition} ${offset}`),
    },
    topics: ['a', 'b'],
    ends,
    isWanted: () => state.isWanted,
    onOpen: () => void did.push('told'),
    onFault: (error) => void did.push(String(error)),
    timers: {
      now: () => 0,
      sleep: (_, signal) =>
        new Promise((resolve) => {
          look = resolve;
          signal.addEventListener('abort', () => resolve());
          rested();
        }),
    },
  });
  const next = () =>
    new Promise<void>((resolve) => {
      rested = resolve;
      look();
    });
  const stop = new AbortController();
  return { subject, did, state, next, stop, running: () => subject.run(stop.signal) };
}
const end = async () => [{ topic: 'a', partition: 0, offset: '7' }];

it('closes when hints are not wanted, and opens at the end of the topics when they are (1, 2)', async () => {
  const { subject, did, state, next, stop, running } = gate(end);
  const run = running();
  await next();
  expect(did).toEqual([]);
  state.isWanted = false;
  await next();
  await next();
  expect([subject.isOpen, did]).toEqual([false, ['pause a,b']]);
  state.isWanted = true;
  await next();
  expect([subject.isOpen, did.slice(1)]).toEqual([true, ['seek a 0 7', 'resume a,b', 'told']]);
  stop.abort();
  await run;
});

it('stays closed while the broker cannot say where its topics end, and asks again (3)', async () => {
  let isAway = true;
  const { subject, did, state, next, running } = gate(async () => {
    if (isAway) throw new Error('away');
    return end();
  });
  state.isWanted = false;
  const run = running();
  await next();
  state.isWanted = true;
  await next();
  await next();
  expect([subject.isOpen, did]).toEqual([false, ['pause a,b', 'Error: away', 'Error: away']]);
  isAway = false;
  await next();
  expect(subject.isOpen).toBe(true);
  subject.drop();
  await run;
});

it('closes anew when the consumer has joined anew and forgotten what was paused (1)', async () => {
  const { subject, did, state, next, running } = gate(end);
  subject.joined();
  state.isWanted = false;
  const run = running();
  await next();
  subject.joined();
  expect(did).toEqual(['pause a,b', 'pause a,b']);
  subject.drop();
  await run;
});
