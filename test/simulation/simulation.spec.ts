import { describe, expect, it } from 'vitest';
import { simulate } from './simulation.js';

const first = Number(process.env['SEED'] ?? 1);
const seeds = Number(process.env['SEEDS'] ?? 20);

describe('the simulation', () => {
  it('finds nothing', async () => {
    const sum = { processes: 0, events: 0, steps: 0, effects: 0, lateEffects: 0, takeovers: 0, kills: 0, freezes: 0 };
    for (let seed = first; seed < first + seeds; seed += 1) {
      const result = await simulate(
        seed,
        process.env['TRACE'] === undefined ? {} : { trace: (line) => console.log(line) },
      );
      expect(result.violations, `seed ${seed}`).toEqual([]);
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += result[name];
    }
    console.log(sum);
  }, 600_000);
});
