// npm run build: every service into dist/apps/NAME/main.js.
// The bundler now and then leaves an empty file and says that all went well: such a service is built again.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const services = Object.keys(JSON.parse(readFileSync(join(root, 'nest-cli.json'), 'utf8')).projects);
const built = (service) => join(root, 'dist', 'apps', service, 'main.js');
const isEmpty = (service) => (statSync(built(service), { throwIfNoEntry: false })?.size ?? 0) === 0;
const tries = 4;

for (const service of services) rmSync(built(service), { force: true });
run('--all');
for (let n = 1; n < tries; n += 1) for (const service of services.filter(isEmpty)) run(service);
const failed = services.filter(isEmpty);
if (failed.length > 0) {
  console.error(`Built empty ${tries} times: ${failed.join(', ')}. Run it once more; nothing else is wrong.`);
  process.exit(1);
}

function run(what) {
  const { status, error } = spawnSync('nest', ['build', what], { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
