import { expect, it } from 'vitest';
import { DatabaseClock } from '../clock/database.clock.js';
import { ManualClock } from '../clock/manual.clock.fixture.js';
import { type Candidate, Claimer } from './claimer.js';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A log with endless work, and an executor with few places. */
class Scene {
  readonly clock = new ManualClock();
  readonly driven = new Set<string>();
  readonly taken: string[] = [];
  orphans: string[] = [];
  runnable: string[] = [];
  refused = new Set<string>();
  readonly left = new Map<string, number>();
  nextDueAt: string | null = null;
  looks = 0;
  turns = 0;
  isReserved = false;
  /** Driven here, with a version that was not folded yet. */
  news: string[] = [];
  readonly reloadsBy: unknown[] = [];
  /** Runnable for long, and of another's share. */
  othersShare: string[] = [];
  /** Claimed here, and not yet committed: a look still shows them, first. */
  underWay: string[] = [];
  orphansUnderWay: string[] = [];
  chance = 0;
  random = (): number => this.chance;
  readonly claimer: Claimer;

  constructor(settings: { capacity: number; batch?: number; takeoversPerSecond?: number }) {
    const head = (stream: string) => ({ stream, version: 2, claims: 0 });
    this.claimer = new Claimer(
      {
        clock: this.clock,
        databaseClock: new DatabaseClock(this.clock),
        random: () => this.random(),
        claims: {
          lookForRunnable: async (limit, { except = [], othersMs }) => {
            this.looks += 1;
            const open = this.runnable.filter((stream) => !except.includes(stream) && !this.driven.has(stream));
            const shown = othersMs === undefined ? [] : this.othersShare.filter((stream) => !this.driven.has(stream));
            return [...this.underWay, ...shown, ...open]
              .slice(0, limit)
              .map((stream) => ({ ...head(stream), priority: 5, mine: !shown.includes(stream) }));
          },
          lookForOrphans: async (limit, except = []) =>
            [...this.orphansUnderWay, ...this.orphans.filter((stream) => !this.driven.has(stream))]
              .filter((stream) => !except.includes(stream))
              .slice(0, limit)
              .map((stream) => ({ ...head(stream), owner: 'dead' })),
          ownedBy: async () => this.news.map((stream) => ({ ...head(stream), owner: 'me' })),
          nextDueAt: async () => this.nextDueAt,
        },
        lease: { holds: () => true },
        logger: quiet,
        meter: {
          count: (_, __, labels) => {
            if (labels?.['work'] === 'reload') this.reloadsBy.push(labels['way']);
          },
          record: () => undefined,
        },
      },
      { pollMs: 1000, batch: 100, takeoversPerSecond: 500, ...settings },
      'me',
      {
        count: () => this.driven.size,
        has: (stream) => this.driven.has(stream),
        streams: () => [...this.driven],
        noteVersion: (stream) => this.news.includes(stream),
        take: async (candidates) => this.take(candidates),
        pickUp: async () => undefined,
        leftToOthers: () => {
          const now = this.clock.monotonic();
          return [...this.left].filter(([, until]) => until > now).map(([stream]) => stream);
        },
        isReserved: () => {
          this.turns += 1;
          return this.isReserved;
        },
      },
    );
  }

  private take(candidates: Candidate[]): number {
    for (const { stream } of candidates)
      if (this.refused.has(stream)) this.left.set(stream, this.clock.monotonic() + 60_000);
    const fits = candidates.filter(({ stream }) => !this.refused.has(stream));
    for (const { stream } of fits) {
      this.driven.add(stream);
      this.taken.push(stream);
      this.runnable = this.runnable.filter((one) => one !== stream);
      this.orphans = this.orphans.filter((one) => one !== stream);
    }
    return fits.length;
  }

  /** One process ends, and its place is free. */
  end(): void {
    for (const stream of this.driven) {
      this.driven.delete(stream);
      break;
    }
    this.claimer.hint();
  }
}

const many = (prefix: string, n: number) => Array.from({ length: n }, (_, at) => `${prefix}${at}`);

it('takes over what a lost executor drove as soon as a place is free, before anything new, however much waits', async () => {
  const scene = new Scene({ capacity: 4 });
  scene.runnable = many('new', 1000);
  scene.claimer.start();
  await scene.clock.pass(100);
  expect(scene.driven.size).toBe(4);
  scene.orphans = many('orphan', 3);
  // The news come while every place is taken.
  scene.claimer.hintOrphans();
  await scene.clock.pass(10);
  scene.taken.length = 0;
  for (let n = 0; n < 3; n += 1) {
    scene.end();
    await scene.clock.pass(10);
  }
  expect(scene.taken).toEqual(['orphan0', 'orphan1', 'orphan2']);
});

it('takes over all that a lost executor drove before it looks for anything new (M5)', async () => {
  const scene = new Scene({ capacity: 100, batch: 10 });
  scene.claimer.start();
  await scene.clock.pass(1);
  scene.orphans = many('orphan', 30);
  scene.runnable = many('new', 30);
  scene.claimer.hintOrphans();
  await scene.clock.pass(20);
  expect(scene.taken).toHaveLength(60);
  expect(scene.taken.slice(0, 30).every((stream) => stream.startsWith('orphan'))).toBe(true);
});

it('goes past what cannot be driven here to what can, however much of it stands in front', async () => {
  const scene = new Scene({ capacity: 10 });
  scene.runnable = [...many('foreign', 50), ...many('mine', 5)];
  scene.refused = new Set(many('foreign', 50));
  scene.claimer.start();
  await scene.clock.pass(8_000);
  expect([...scene.driven].sort()).toEqual(many('mine', 5));
  // And it is asked about again later: another release may have been installed, or its definition published.
  scene.refused.clear();
  await scene.clock.pass(120_000);
  expect(scene.taken.length).toBeGreaterThan(5);
});

it('never takes more than there is room for (M2)', async () => {
  const scene = new Scene({ capacity: 7 });
  scene.runnable = many('new', 100);
  scene.orphans = many('orphan', 100);
  scene.claimer.start();
  await scene.clock.pass(5_000);
  expect(scene.driven.size).toBe(7);
});

it('takes over at a bounded rate, so that a restart of the whole cluster does not run over the database (M5)', async () => {
  const scene = new Scene({ capacity: 10_000, takeoversPerSecond: 50 });
  scene.orphans = many('orphan', 1000);
  scene.claimer.start();
  await scene.clock.pass(4_000);
  expect(scene.taken.length).toBeGreaterThan(100);
  expect(scene.taken.length).toBeLessThanOrEqual(50 + 4 * 50 + 1);
});

it('finds work with every hint lost (M1), and looks in the very moment when a timer is due (M3)', async () => {
  const scene = new Scene({ capacity: 10 });
  scene.claimer.start();
  await scene.clock.pass(5_000);
  scene.runnable = ['late'];
  await scene.clock.pass(1_000);
  expect(scene.taken).toEqual(['late']);
  const due = scene.clock.wall() + 120;
  scene.claimer.noteDue(new Date(due).toISOString());
  const before = scene.looks;
  await scene.clock.pass(125);
  expect(scene.looks).toBeGreaterThan(before);
});

it('counts what it finds anew among its own for the poll that was due, or for the hint that asked for it', async () => {
  const scene = new Scene({ capacity: 4 });
  // In the very moment when the poll is due, before its timer.
  scene.clock.after(500, () => scene.claimer.hint('bus'));
  scene.claimer.start();
  await scene.clock.pass(0);
  scene.news = ['a'];
  scene.driven.add('a');
  await scene.clock.pass(500);
  expect(scene.reloadsBy).toEqual(['poll']);
  scene.claimer.hintOwned('notify');
  await scene.clock.pass(0);
  expect(scene.reloadsBy).toEqual(['poll', 'notify']);
});

it('takes its own share at once, and at a poll what another should have taken (M8)', async () => {
  const scene = new Scene({ capacity: 100 });
  scene.runnable = many('mine', 5);
  scene.chance = 0.9;
  scene.claimer.start();
  await scene.clock.pass(10);
  expect(scene.taken).toHaveLength(5);
  scene.othersShare = many('other', 5);
  for (let n = 0; n < 10; n += 1) {
    scene.claimer.hint('notify');
    await scene.clock.pass(1);
  }
  expect(scene.taken).toHaveLength(5);
  await scene.clock.pass(1_000);
  expect(scene.taken).toHaveLength(10);
});

it("takes in the moment when a timer is due also what is of another's share, all of it (M8)", async () => {
  const scene = new Scene({ capacity: 100, batch: 10 });
  scene.claimer.start();
  await scene.clock.pass(20);
  let call = 0;
  scene.random = () => (call++ % 2 === 0 ? 0.1 : 0.9);
  scene.claimer.noteDue(new Date(scene.clock.wall() + 100).toISOString());
  scene.othersShare = many('other', 25);
  await scene.clock.pass(90);
  expect(scene.taken).toHaveLength(0);
  await scene.clock.pass(30);
  expect(scene.taken).toHaveLength(25);
});

it('looks again soon when all that it saw is being claimed here, without any hint (M7)', async () => {
  const scene = new Scene({ capacity: 100, batch: 10 });
  scene.underWay = many('claimed', 10);
  for (const stream of scene.underWay) scene.driven.add(stream);
  scene.runnable = many('new', 10);
  scene.claimer.start();
  await scene.clock.pass(1);
  expect(scene.taken).toHaveLength(0);
  scene.underWay = [];
  await scene.clock.pass(20);
  expect(scene.taken).toHaveLength(10);
});

it("sees past what it is taking over, which the log still shows as the dead one's, to all the others (M5)", async () => {
  const scene = new Scene({ capacity: 100, batch: 10 });
  scene.claimer.start();
  await scene.clock.pass(1);
  scene.orphansUnderWay = many('taken', 10);
  for (const stream of scene.orphansUnderWay) scene.driven.add(stream);
  scene.orphans = many('orphan', 15);
  scene.claimer.hintOrphans();
  await scene.clock.pass(20);
  expect(scene.taken).toHaveLength(15);
});

it('sleeps while it is reserved for a suspect, also when something is due that it may not take', async () => {
  const scene = new Scene({ capacity: 10 });
  scene.isReserved = true;
  scene.claimer.start();
  scene.claimer.noteDue(new Date(scene.clock.wall() + 100).toISOString());
  await scene.clock.pass(1_100);
  expect(scene.turns).toBeLessThan(10);
});

it("comes to another's share when its own is done, not before (M8)", async () => {
  const scene = new Scene({ capacity: 100, batch: 10 });
  scene.claimer.start();
  await scene.clock.pass(20);
  scene.claimer.noteDue(new Date(scene.clock.wall() + 100).toISOString());
  scene.runnable = many('mine', 35);
  scene.othersShare = many('other', 25);
  await scene.clock.pass(150);
  expect(scene.taken).toHaveLength(60);
  expect(scene.taken.slice(0, 35).every((stream) => stream.startsWith('mine'))).toBe(true);
});
