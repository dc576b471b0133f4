import { expect, it } from 'vitest';
import { silentMeter } from '../scheduler.ports.js';
import { quietLogger } from '../testing/cell.fixture.js';
import { Duty } from './duty.js';

/** A duty under a clock that stands still until it is told. */
class Scene {
  now = 0;
  gatherMs = 0;
  rounds = 0;
  readonly timers = new Map<() => void, number>();
  readonly duty = new Duty({
    name: 'rounds',
    run: async () => {
      this.rounds += 1;
      return undefined;
    },
    everyMs: () => 1_000,
    gatherMs: () => this.gatherMs,
    clock: {
      now: () => this.now,
      after: (ms, call) => {
        this.timers.set(call, this.now + ms);
        return () => this.timers.delete(call);
      },
    },
    logger: quietLogger,
    meter: silentMeter,
  });

  /** Lets so much time go by, and all that is due and follows from it happen. */
  async pass(ms: number): Promise<void> {
    this.now += ms;
    for (const [call, at] of this.timers) if (at <= this.now) call();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

it('answers a hint at once, and one during a round by another round (2, 4)', async () => {
  const scene = new Scene();
  scene.duty.start();
  await scene.pass(0);
  expect(scene.rounds).toBe(1);
  scene.duty.wake();
  await scene.pass(0);
  expect(scene.rounds).toBe(2);
  await scene.pass(1_000);
  expect(scene.rounds).toBe(3);
  await scene.duty.stop();
});

it('answers the hints that come within the time to gather by one round, none too late and none lost (4)', async () => {
  const scene = new Scene();
  scene.gatherMs = 20;
  scene.duty.start();
  await scene.pass(0);
  for (let n = 0; n < 5; n += 1) {
    scene.duty.wake();
    await scene.pass(3);
  }
  expect(scene.rounds).toBe(1);
  await scene.pass(5);
  expect(scene.rounds).toBe(2);
  // Nobody hinted meanwhile: what comes after the time to gather is answered at once.
  await scene.pass(20);
  expect(scene.rounds).toBe(2);
  scene.duty.wake();
  await scene.pass(0);
  expect(scene.rounds).toBe(3);
  await scene.duty.stop();
});

it('stops while it gathers', async () => {
  const scene = new Scene();
  scene.gatherMs = 60_000;
  scene.duty.start();
  await scene.pass(0);
  await scene.duty.stop();
  expect(scene.rounds).toBe(1);
  expect(scene.timers.size).toBe(0);
});
