import { expect, it } from 'vitest';
import { given, simulateShare } from './seed.range.js';

// One of two files that share the seeds, so that two workers take them at the same time.
it('random processes under random faults end as without them, with every promise kept: even seeds', async () => {
  await simulateShare(0, 2);
  expect(given.seeds).toBeGreaterThan(0);
});
