import { expect, it } from 'vitest';
import { given, simulateShare } from './seed.range.js';

// One of two files that share the seeds, so that two workers take them at the same time.
it('random processes under random faults end as without them, with every promise kept: odd seeds', async () => {
  await simulateShare(1, 2);
  expect(given.seeds).toBeGreaterThan(0);
});
