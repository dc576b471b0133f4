import { it } from 'vitest';
import { simulate } from './simulation.js';

it('sweeps', async () => {
  const from = Number(process.env['SEED'] ?? 1);
  const kinds = new Map<string, { count: number; seed: number; text: string }>();
  const t = performance.now();
  for (let seed = from; seed < from + Number(process.env['SEEDS'] ?? 200); seed += 1) {
    let violations: string[];
    try {
      ({ violations } = await simulate(seed));
    } catch (e) {
      violations = [`throw: ${e instanceof Error ? e.stack : e}`];
    }
    for (const v of violations.slice(0, 1)) {
      const key = v
        .replace(/[0-9a-f-]{36,}/g, 'ID')
        .replace(/[0-9]+/g, 'N')
        .slice(0, 70);
      const k = kinds.get(key) ?? { count: 0, seed, text: v };
      k.count += 1;
      kinds.set(key, k);
    }
  }
  console.log('ms', performance.now() - t);
  for (const [key, k] of [...kinds].sort((a, b) => b[1].count - a[1].count))
    console.log(k.count, 'seed', k.seed, k.text.slice(0, 600));
}, 600_000);
