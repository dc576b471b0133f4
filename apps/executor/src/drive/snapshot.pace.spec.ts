import { expect, it } from 'vitest';
import { nextSnapshotAt } from './snapshot.pace.js';

function snapshotsUntil(version: number, every: number): number[] {
  const saved: number[] = [];
  for (let at = nextSnapshotAt(0, every); at <= version; at = nextSnapshotAt(at, every)) saved.push(at);
  return saved;
}

it('the first snapshots of a process are as far apart as is set', () => {
  expect(snapshotsUntil(2_000, 500)).toEqual([500, 1_000, 1_500, 2_000]);
});

it('all snapshots of a process together are a few times as long as its last, however long it grows', () => {
  for (const version of [20_000, 200_000, 2_000_000]) {
    const all = snapshotsUntil(version, 500);
    expect(all.reduce((sum, one) => sum + one, 0)).toBeLessThan(5.5 * (all.at(-1) ?? 0));
    expect(version - (all.at(-1) ?? 0)).toBeLessThanOrEqual(version / 4);
  }
});
