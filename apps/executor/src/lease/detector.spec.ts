import { expect, it } from 'vitest';
import { ManualClock } from '../clock/manual.clock.fixture.js';
import { Detector } from './detector.js';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function detectorOver(
  clock: ManualClock,
  registry: ConstructorParameters<typeof Detector>[0]['registry'],
  may: () => boolean = () => true,
): { detector: Detector; lost: string[] } {
  const lost: string[] = [];
  const detector = new Detector(
    { clock, random: () => 0.5, registry, lease: { mayJudge: may, holds: () => true }, logger: quiet },
    { leaseMs: 3000 },
    'me',
    (ids) => lost.push(...ids),
  );
  return { detector, lost };
}

it('looks at its own pace, one look at a time, however many hints come while it looks', async () => {
  const clock = new ManualClock();
  let looks = 0;
  let open = 0;
  let most = 0;
  let answer: () => void = () => undefined;
  const { detector } = detectorOver(clock, {
    async detectLost() {
      looks += 1;
      most = Math.max(most, ++open);
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      open -= 1;
      return [];
    },
    suspicionCountsInMs: () => null,
    provenOver: async () => new Set(),
  });
  detector.start();
  await clock.pass(500);
  expect(looks).toBe(1);
  for (let n = 0; n < 20; n += 1) {
    detector.hint();
    await clock.pass(1);
  }
  expect(most).toBe(1);
  // No hint is lost: another look follows, and then the usual pace.
  const before = looks;
  for (let n = 0; n < 100; n += 1) {
    answer();
    await clock.pass(50);
  }
  expect(looks - before).toBeGreaterThan(5);
  expect(looks - before).toBeLessThanOrEqual(5_000 / 83 + 2);
});

it('judges nobody while its own lease does not allow it (D1), and still learns proofs that others found', async () => {
  const clock = new ManualClock();
  let judged = 0;
  const { detector } = detectorOver(
    clock,
    {
      async detectLost(_me, judges) {
        if (judges) judged += 1;
        return [];
      },
      suspicionCountsInMs: () => null,
      provenOver: async (ids) => new Set(ids),
    },
    () => false,
  );
  detector.start();
  let calls = 0;
  detector.whenOver(['dead'], () => {
    calls += 1;
  });
  await clock.pass(10_000);
  expect(judged).toBe(0);
  expect(calls).toBe(1);
  expect(detector.isOver('dead')).toBe(true);
});

it('takes nobody for over who is lost without a proof (D2)', async () => {
  const clock = new ManualClock();
  const { detector, lost } = detectorOver(clock, {
    detectLost: async () => [{ id: 'frozen', proof: null }],
    suspicionCountsInMs: () => null,
    provenOver: async () => new Set(),
  });
  detector.start();
  await clock.pass(2_000);
  expect(lost).toContain('frozen');
  expect(detector.isOver('frozen')).toBe(false);
});

it('looks again when a suspicion counts, not at its next pace (D5)', async () => {
  const clock = new ManualClock();
  const looks: number[] = [];
  let countsAt = Number.POSITIVE_INFINITY;
  const { detector } = detectorOver(clock, {
    async detectLost() {
      looks.push(clock.monotonic());
      if (looks.length === 1) countsAt = clock.monotonic() + 260;
      return [];
    },
    suspicionCountsInMs: () => (countsAt > clock.monotonic() ? countsAt - clock.monotonic() : null),
    provenOver: async () => new Set(),
  });
  detector.start();
  await clock.pass(1000);
  expect(looks.some((at) => at >= countsAt && at <= countsAt + 1)).toBe(true);
});
