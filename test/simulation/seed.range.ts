import { expect } from 'vitest';
import { simulate } from './simulation.js';

/** What the command line gave (run.mjs), else a range by chance: it is printed, and reruns the same. */
export const given = {
  seed: process.env['BATON_SIMULATION_SEED'] === undefined ? null : Number(process.env['BATON_SIMULATION_SEED']),
  seeds: Number(process.env['BATON_SIMULATION_SEEDS'] ?? 2000),
  trace: process.env['BATON_SIMULATION_TRACE'] === 'on',
};

/** Simulates every seed of a share of the range; every violation of the first seed that has one is shown. */
export async function simulateShare(share: number, shares: number): Promise<void> {
  const first = given.seed ?? Math.floor(Date.now() / 60_000) % 100_000_000;
  const sum = { seeds: 0, processes: 0, events: 0, effects: 0, lateEffects: 0, takeovers: 0, kills: 0, freezes: 0 };
  const began = performance.now();
  for (let seed = first + share; seed < first + given.seeds; seed += shares) {
    const result = await simulate(seed, given.trace ? { trace: (line) => process.stdout.write(`${line}\n`) } : {});
    expect(result.violations, `npm run simulation -- --seed ${seed} --trace`).toEqual([]);
    sum.seeds += 1;
    for (const name of ['processes', 'events', 'effects', 'lateEffects', 'takeovers', 'kills', 'freezes'] as const)
      sum[name] += result[name];
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(
    `simulation: every ${shares}. seed from ${first + share}: ${JSON.stringify(sum)} in ${seconds} s\n`,
  );
}
