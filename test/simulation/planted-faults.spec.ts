import { describe, expect, it } from 'vitest';
import { plantedFaults } from './planted.faults.js';
import { simulate } from './simulation.js';

/** A simulation that finds nothing proves little: each of these must be found (design 6). */
describe('the simulation finds within 1,000 seeds', () => {
  for (const planted of plantedFaults)
    it(planted.name, async () => {
      let found: string | undefined;
      let seed = 0;
      while (found === undefined && seed < 1000) {
        seed += 1;
        found = (await simulate(seed, { planted })).violations[0];
      }
      console.log(`${planted.name}: seed ${seed}: ${found?.slice(0, 200)}`);
      expect(found).toBeDefined();
      expect(found).not.toMatch(/^without faults/);
    });
});
