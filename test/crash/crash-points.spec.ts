import { type TestCluster, testCluster } from '@baton/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CrashPoint, crashPoints } from '../../apps/executor/src/crash/crash-points.js';
import { audit } from '../chaos/chaos.audit.js';
import type { ExecutorProcess } from '../chaos/executor.process.js';
import { RealCluster } from '../chaos/real.cluster.js';

interface CrashCase {
  /** At which passage it dies. */
  passage?: number;
  /** Who drove the process before the one that dies: killed while its effect runs. */
  afterAnother?: boolean;
  /** SIGTERM while an effect runs: the process is handed back. */
  drains?: boolean;
}

const cases: Record<CrashPoint, CrashCase> = {
  'before-claim': {},
  'after-claim': {},
  'during-takeover': { afterAnother: true },
  'before-append': {},
  'after-append': {},
  'before-effect': { passage: 2 },
  'after-effect': { passage: 2 },
  'before-outcome': { passage: 2 },
  'after-park': {},
  'before-spawn': {},
  'after-spawn': {},
  'after-end': {},
  'after-tell-parent': {},
  'before-release': { drains: true },
};

/** Effects, a wait that parks, a child: the process passes every point on its way. */
function definitions(url: string): Record<string, unknown>[] {
  const effect = { type: 'effect', url, takes: 150, recovery: 'rerun' };
  return [
    { name: 'crash/child', operators: { only: effect } },
    {
      name: 'crash/all',
      operators: {
        first: effect,
        second: { ...effect, after: ['first'] },
        pause: { type: 'delay', for: '1100ms', after: ['second'] },
        sub: { type: 'process', definition: 'crash/child', after: ['pause'] },
        last: { ...effect, after: ['sub'] },
      },
    },
  ];
}

let server: TestCluster;
beforeAll(async () => {
  server = await testCluster();
});
afterAll(async () => {
  await server.drop();
});

async function withCluster(act: (cluster: RealCluster) => Promise<void>): Promise<void> {
  const cluster = await RealCluster.start(server);
  try {
    for (const definition of definitions(cluster.ledger.url())) await cluster.publish(definition);
    await act(cluster);
  } finally {
    await cluster.close();
  }
}

async function survives(cluster: RealCluster, lost: ExecutorProcess[]): Promise<void> {
  for (const executor of lost) await executor.exited;
  const survivor = cluster.startExecutor();
  await survivor.ready;
  const ended = await cluster.untilEnded(30_000);
  const result = await audit(cluster, new Map());
  expect(result.broken, survivor.log()).toEqual([]);
  expect(ended, survivor.log()).toBe(true);
  expect(result.processes).toBe(2);
}

describe.concurrent('an executor that dies', () => {
  for (const point of crashPoints) {
    const { passage = 1, afterAnother = false, drains = false } = cases[point];
    it(`${point} loses nothing and repeats no completed operator`, () =>
      withCluster(async (cluster) => {
        const lost: ExecutorProcess[] = [];
        await cluster.request('crash/all');
        if (afterAnother) {
          const first = cluster.startExecutor();
          lost.push(first);
          await cluster.ledger.untilRunning(first.pid, () => !first.isRunning);
          first.signal('SIGKILL');
          await first.exited;
        }
        const victim = cluster.startExecutor({ BATON_CRASH_POINT: `${point}:kill:${passage}` });
        lost.push(victim);
        if (drains) {
          await cluster.ledger.untilRunning(victim.pid, () => !victim.isRunning);
          victim.signal('SIGTERM');
        }
        expect((await victim.exited).signal, victim.log()).toBe('SIGKILL');
        await survives(cluster, lost);
      }));
  }

  it('or stands still after its append, and wakes as a zombie, changes nothing', () =>
    withCluster(async (cluster) => {
      await cluster.request('crash/all');
      const victim = cluster.startExecutor({ BATON_CRASH_POINT: 'after-append:stop:1' });
      await victim.ready;
      const survivor = cluster.startExecutor();
      await survivor.ready;
      expect(await cluster.untilEnded(30_000), survivor.log()).toBe(true);
      victim.signal('SIGCONT');
      expect((await audit(cluster, new Map())).broken).toEqual([]);
    }));

  it('has its crash points listed with a case each', () => {
    expect(Object.keys(cases).sort()).toEqual([...crashPoints].sort());
  });

  it('refuses a crash point that is not listed', () =>
    withCluster(async (cluster) => {
      const executor = cluster.startExecutor({ BATON_CRASH_POINT: 'nowhere' });
      expect((await executor.exited).code).toBe(2);
      expect(executor.log()).toContain('names no crash point: nowhere');
    }));
});
