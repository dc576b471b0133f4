// npm run simulation [-- --seed N [--seeds M] [--trace]]   one seed, or M from there; without a seed a range by chance
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, seeds: { type: 'string' }, trace: { type: 'boolean' } },
});
for (const name of ['seed', 'seeds'])
  if (values[name] !== undefined && !/^\d+$/.test(values[name])) {
    console.error(`--${name} takes a number, not ${values[name]}`);
    process.exit(2);
  }
const environment = { ...process.env };
if (values.seed !== undefined) environment.BATON_SIMULATION_SEED = values.seed;
const seeds = values.seeds ?? (values.seed === undefined ? undefined : '1');
if (seeds !== undefined) environment.BATON_SIMULATION_SEEDS = seeds;
if (values.trace) environment.BATON_SIMULATION_TRACE = 'on';
const files =
  values.seed === undefined ? [] : ['test/simulation/even-seeds.spec.ts', 'test/simulation/odd-seeds.spec.ts'];
const { status } = spawnSync('vitest', ['run', '--project', 'simulation', ...files], {
  stdio: 'inherit',
  env: environment,
});
process.exit(status ?? 1);
