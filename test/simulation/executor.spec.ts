import { describe, expect, it } from 'vitest';
import type { RandomDefinition } from './random.graph.js';
import { SeededRandom } from './seeded.random.js';
import { SimulatedCluster } from './simulated.cluster.js';
import { admit, request } from './simulation.js';

const work = { type: 'work', takes: 20, recovery: 'rerun' };
const three: RandomDefinition = {
  name: 'default/three',
  sameEnd: 'whole',
  source: {
    kind: 'Process',
    name: 'default/three',
    operators: { a: work, b: { ...work, after: ['a'] }, c: { ...work, after: ['b'] } },
  },
};
const slow: RandomDefinition = {
  name: 'default/slow',
  sameEnd: 'whole',
  source: { kind: 'Process', name: 'default/slow', operators: { a: { ...work, takes: 60_000 } } },
};

function cluster(definitions: RandomDefinition[], deaths = 3) {
  const random = new SeededRandom(1);
  const built = new SimulatedCluster({
    random,
    definitions,
    wire: () => ({ cut: 0, late: 0 }),
    breaks: () => 0,
    settings: { quarantineDeaths: () => deaths },
    planted: null,
    withoutHints: false,
    trace: null,
  });
  const state = { cluster: built, roots: [] as string[] };
  const outside = built.client();
  admit(state, outside, random.fork()).catch((error: unknown) => built.checker.violate('bug', String(error)));
  return { ...state, random };
}

describe('the executor', () => {
  it('needs one append for each boundary of a process, and processes that cross one together share a commit', async () => {
    const { cluster: built, roots, random } = cluster([three]);
    const { log } = built.cell;
    const appendEach = log.appendEach.bind(log);
    let commits = 0;
    let appends = 0;
    log.appendEach = (batch) => {
      const isOurs = ({ event, metadata }: (typeof batch)[number]['events'][number]) =>
        metadata.executor !== undefined || 'executor' in event.data;
      const ours = batch.filter((append) => append.events.some(isOurs));
      if (ours.length > 0) commits += 1;
      appends += ours.length;
      return appendEach(batch);
    };
    for (let n = 0; n < 60; n += 1) request({ cluster: built, roots }, random, 0, 'default/three');
    await built.time.run(1_010_000, () => false);
    built.startExecutor();
    const ended = () => roots.every((root) => built.checker.streams.get(root)?.ended === true);
    await built.time.run(1_100_000, ended);
    expect(built.checker.violations).toEqual([]);
    expect(ended()).toBe(true);
    // Claim and first start, twice an end with the next start, the last end with that of the process.
    expect(appends).toBe(60 * 4);
    expect(commits).toBeLessThan(appends / 2);
  });

  it('takes up a runnable process by a hint within milliseconds, and without hints within a poll', async () => {
    for (const [withoutHints, most] of [
      [false, 50],
      [true, 1500],
    ] as const) {
      const { cluster: built, roots, random } = cluster([three]);
      const executor = built.startExecutor();
      await built.time.run(1_005_000, () => false);
      let startedAt = 0;
      let scheduledAt = 0;
      built.onAppended = (_, { events }) => {
        const type = events[0]?.event.type;
        if (type === 'ProcessStarted') startedAt = built.time.current();
        if (type !== 'ProcessScheduled') return;
        scheduledAt = built.time.current();
        if (!withoutHints) executor.host.hint('runnable', '');
      };
      request({ cluster: built, roots }, random, 0, 'default/three');
      await built.time.run(1_020_000, () => startedAt > 0);
      expect(startedAt - scheduledAt, `hints ${!withoutHints}`).toBeLessThan(most);
    }
  });

  it('makes an incident of a process that kills its executors, and the innocent beside it go on', async () => {
    const { cluster: built, roots, random } = cluster([three, slow]);
    for (let n = 0; n < 3; n += 1) built.startExecutor();
    request({ cluster: built, roots }, random, 0, 'default/slow');
    const killer = roots[0] ?? '';
    let deaths = 0;
    const effect = built.checker.effect.bind(built.checker);
    built.checker.effect = (entry) => {
      effect(entry);
      if (entry.stream !== killer) return;
      const victim = built.executors.find(({ incarnations }) => incarnations.includes(entry.executor));
      if (victim === undefined) return;
      deaths += 1;
      built.time.schedule(1, () => built.kill(victim, false));
      built.time.schedule(3000, () => void built.startExecutor());
    };
    for (let n = 0; n < 30; n += 1)
      request({ cluster: built, roots }, random, random.between(0, 40_000), 'default/three');
    const innocent = () => roots.slice(1).every((root) => built.checker.streams.get(root)?.ended === true);
    const isIncident = () => built.checker.streams.get(killer)?.events.some(({ type }) => type === 'IncidentRaised');
    await built.time.run(1_400_000, () => isIncident() === true && innocent());
    expect(built.checker.violations).toEqual([]);
    expect({ deaths, isIncident: isIncident(), innocent: innocent() }).toEqual({
      deaths: 3,
      isIncident: true,
      innocent: true,
    });
    const alone = built.checker.streams
      .get(killer)
      ?.events.filter((e) => e.type === 'ProcessTakenOver' && e.data.alone);
    expect(alone).toHaveLength(1);
  });
});
