import { beforeEach, describe, expect, it } from 'vitest';
import { DatabaseClock } from '../clock/database.clock.js';
import { ManualClock } from '../clock/manual.clock.fixture.js';
import { LeaseKeeper } from './lease.keeper.js';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
let clock: ManualClock;
let answer: 'alive' | 'lost' | 'away';
let losses: number;
let keeper: LeaseKeeper;
let beats: number;
let loseLock: () => void;

beforeEach(async () => {
  clock = new ManualClock();
  answer = 'alive';
  losses = 0;
  beats = 0;
  keeper = new LeaseKeeper(
    {
      clock,
      databaseClock: new DatabaseClock(clock),
      registry: {
        heartbeat: async () => {
          beats += 1;
          if (answer === 'away') throw new Error('the database is away');
          return { alive: answer === 'alive', now: 5_000_000 };
        },
        holdLock: async (_id, onLost) => {
          loseLock = () => onLost?.();
          return { held: true, release: async () => undefined };
        },
      },
      logger: quiet,
    },
    { leaseMs: 3000, heartbeatMs: 1000 },
    'me',
    () => ({ driven: 0, draining: false, progress: 0 }),
    () => {
      losses += 1;
    },
  );
  await keeper.start();
});

describe('the lease of an executor', () => {
  it('holds while heartbeats are answered (L1)', async () => {
    await clock.pass(20_000);
    expect(keeper.holds()).toBe(true);
  });
  it('runs out when they are not, and holds again with the first that is (L1, L2)', async () => {
    answer = 'away';
    await clock.pass(2_900);
    expect(keeper.holds()).toBe(true);
    await clock.pass(200);
    expect(keeper.holds()).toBe(false);
    answer = 'alive';
    await clock.pass(1_000);
    expect(keeper.holds()).toBe(true);
    expect(losses).toBe(0);
  });
  it('says at once that it lives when it loses the session of its lock, and again when that cannot be said (L5)', async () => {
    const before = beats;
    loseLock();
    await clock.pass(0);
    expect(beats).toBe(before + 1);
    answer = 'away';
    loseLock();
    await clock.pass(50);
    answer = 'alive';
    await clock.pass(100);
    const said = beats;
    expect(said).toBeGreaterThan(before + 3);
    await clock.pass(500);
    expect(beats).toBe(said);
  });
  it('is not believed after the wall clock moved, either way, until the next heartbeat (L1)', async () => {
    for (const step of [3_600_000, -3_600_000, 400, -400]) {
      clock.stepWall(step);
      expect(keeper.holds(), String(step)).toBe(false);
      await clock.pass(1_000);
      expect(keeper.holds(), String(step)).toBe(true);
    }
  });
  it('is lost once and for ever (L3)', async () => {
    answer = 'lost';
    await clock.pass(1_000);
    expect({ holds: keeper.holds(), lost: keeper.isLost(), losses }).toEqual({ holds: false, lost: true, losses: 1 });
    answer = 'alive';
    await clock.pass(10_000);
    expect({ holds: keeper.holds(), losses }).toEqual({ holds: false, losses: 1 });
  });
  it('lets it judge nobody before it has beaten for a whole lease, also after an outage (L4)', async () => {
    expect(keeper.mayJudge()).toBe(false);
    await clock.pass(2_900);
    expect(keeper.mayJudge()).toBe(false);
    await clock.pass(200);
    expect(keeper.mayJudge()).toBe(true);
    answer = 'away';
    await clock.pass(1_000);
    answer = 'alive';
    await clock.pass(1_000);
    expect({ holds: keeper.holds(), judges: keeper.mayJudge() }).toEqual({ holds: true, judges: false });
    await clock.pass(3_100);
    expect(keeper.mayJudge()).toBe(true);
  });
});
