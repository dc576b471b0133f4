// The protocol's own checks: the TLA+ model and the attacks on a real PostgreSQL.
//   node test/model/run.mjs          quick: small state spaces, scripts 1 and 2 (about 1 min)
//   node test/model/run.mjs all      everything that is checked
//   node test/model/run.mjs sql      only the scripts on PostgreSQL (seconds)
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const what = process.argv[2] ?? 'quick';
if (!['quick', 'all', 'sql'].includes(what)) {
  console.error(`Unknown: ${what}. Say quick, all or sql.`);
  process.exit(2);
}
const scripts = ['1-append.mjs', '2-xid.mjs', ...(what === 'all' ? ['3-failover.mjs'] : [])];
let failed = 0;
function run(command, args, directory) {
  const { status } = spawnSync(command, args, { cwd: directory, stdio: 'inherit' });
  if (status !== 0) {
    failed += 1;
    console.error(`FAILED: ${command} ${args.join(' ')}`);
  }
}
for (const script of scripts) run(process.execPath, [script], join(here, 'postgres'));
if (what !== 'sql') {
  const missing = ['java', 'mvn'].filter((tool) => spawnSync(tool, ['-version'], { stdio: 'ignore' }).status !== 0);
  if (missing.length > 0)
    console.error(`The TLA+ model was not checked: ${missing.join(' and ')} not found (Java 11, Maven).`);
  else run('bash', what === 'all' ? ['check.sh'] : ['check.sh', 'quick'], here);
}
process.exit(failed === 0 ? 0 : 1);
