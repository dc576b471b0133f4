// npm run chaos [-- --minutes N] [--seed S]         kills, freezes and restarts for at least that long
// npm run chaos -- --bus [--minutes N] [--seed S]   outages of the Kafka broker and of who publishes; N: how long it is dead
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { bus: { type: 'boolean', default: false }, minutes: { type: 'string' }, seed: { type: 'string' } },
});
for (const name of ['minutes', 'seed'])
  if (values[name] !== undefined && !/^\d+$/.test(values[name])) {
    console.error(`--${name} takes a number, not ${values[name]}`);
    process.exit(2);
  }
const environment = { ...process.env };
if (values.minutes !== undefined) environment.BATON_CHAOS_MINUTES = values.minutes;
if (values.seed !== undefined) environment.BATON_CHAOS_SEED = values.seed;
const project = values.bus ? 'outage' : 'chaos';
const { status } = spawnSync('vitest', ['run', '--project', project], { stdio: 'inherit', env: environment });
process.exit(status ?? 1);
