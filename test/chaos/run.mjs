// npm run chaos [-- --minutes N] [--seed S]   kills, freezes and restarts for at least that long
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
for (const name of ['minutes', 'seed'])
  if (values[name] !== undefined && !/^\d+$/.test(values[name])) {
    console.error(`--${name} takes a number, not ${values[name]}`);
    process.exit(2);
  }
const environment = { ...process.env };
if (values.minutes !== undefined) environment.BATON_CHAOS_MINUTES = values.minutes;
if (values.seed !== undefined) environment.BATON_CHAOS_SEED = values.seed;
const { status } = spawnSync('vitest', ['run', '--project', 'chaos'], { stdio: 'inherit', env: environment });
process.exit(status ?? 1);
