// Everything that this machine has the parts for, in order of speed.
//   npm test                       all suites
//   npm test -- --only unit,e2e    some of them (--only verify: what every change passes first)
// A suite whose parts are missing is named at the end with its remedy; in CI (CI is set) that is a failure.
// A suite that mostly waits runs beside those that it names; its output is kept, and printed whole when it has ended.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, constants, setPriority, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const inCi = Boolean(process.env.CI);
const scratch = mkdtempSync(join(tmpdir(), 'baton-test-run-'));
const environment = {
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
  // The tests start hundreds of services: each is a quarter cheaper to start when its code is compiled already.
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'compiled'),
};

const script = (name) => ({ kind: 'script', name });
const tests = (...projects) => ({ kind: 'tests', projects });
const jvm = { tools: ['java', 'mvn'], packages: ['openjdk-17-jre-headless', 'maven'] };
/** Kafka as those see it who are not Baton: Java with its compiler, and kcat. */
const strangers = {
  tools: ['java', 'javac', 'mvn', 'kcat'],
  packages: ['openjdk-17-jdk-headless', 'maven', 'kcat'],
};

const suites = [
  { name: 'lint', group: 'verify', run: script('lint') },
  { name: 'types', group: 'verify', run: script('types') },
  { name: 'architecture', group: 'verify', run: script('architecture') },
  { name: 'unused', group: 'verify', run: script('unused') },
  { name: 'build', group: 'build', run: script('build'), always: true },
  // Half of what follows waits, for brokers, leases and processes that start: so several run beside each other. None of
  // them asks how long something takes. What only computes takes what the others leave.
  {
    name: 'model',
    group: 'model',
    run: script('model'),
    needs: jvm,
    beside: ['outage', 'simulation', 'unit', 'crash', 'consumers', 'e2e'],
    modest: true,
  },
  // Minutes of outages of a broker.
  {
    name: 'outage',
    group: 'outage',
    run: tests('outage'),
    needs: jvm,
    beside: ['simulation', 'unit', 'crash', 'consumers', 'e2e'],
  },
  {
    name: 'simulation',
    group: 'simulation',
    run: tests('simulation'),
    beside: ['unit', 'crash', 'consumers', 'e2e'],
    modest: true,
  },
  // Some of the unit suite talks to a real Kafka broker.
  { name: 'unit', group: 'verify', run: tests('unit', 'architecture', 'integration'), wants: jvm },
  { name: 'crash', group: 'crash', run: tests('crash'), beside: ['consumers', 'e2e'] },
  { name: 'consumers', group: 'consumers', run: tests('consumers'), needs: strangers, beside: ['e2e'] },
  { name: 'e2e', group: 'e2e', run: tests('e2e') },
  { name: 'chaos', group: 'chaos', run: tests('chaos') },
  // Fails on a ratio of one run only, never on time (docs/performance.md).
  { name: 'bench', group: 'bench', run: script('bench:short'), built: true },
];

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = values.only?.split(',');
for (const name of wanted ?? []) {
  if (!suites.some((suite) => suite.name === name || suite.group === name)) {
    console.error(`There is no suite "${name}". There are: verify, ${suites.map((suite) => suite.name).join(', ')}.`);
    process.exit(2);
  }
}
const isWanted = (suite) => !wanted || wanted.includes(suite.name) || wanted.includes(suite.group);
const needsBuild = suites.some((suite) => isWanted(suite) && (suite.run.kind === 'tests' || suite.built));
const chosen = suites.filter((suite) => isWanted(suite) || (suite.always && needsBuild));

const totals = { passed: 0, failed: 0 };
const failures = [];
const leftOut = [];
const startedAt = performance.now();

console.log(
  `Node.js ${process.version}, ${availableParallelism()} cores: ${chosen.map((suite) => suite.name).join(', ')}`,
);
/** What runs beside the others: each suite, and its end. */
let asides = [];
for (const [index, suite] of chosen.entries()) {
  await joinAsides(({ beside }) => !beside.includes(suite.name));
  if (!isPossible(suite)) continue;
  if (suite.beside?.includes(chosen[index + 1]?.name)) {
    console.log(`\n── ${suite.name}: begun beside the next; its output follows when it has ended`);
    const output = join(scratch, `${suite.name}.log`);
    asides.push({ suite, output, begun: performance.now(), ended: runSuite(suite, output) });
    continue;
  }
  const begun = performance.now();
  headline(suite);
  const result = await runSuite(suite);
  add(suite, result, begun);
  if (suite.name === 'build' && result.failed > 0) break;
}
await joinAsides(() => true);
rmSync(scratch, { recursive: true, force: true });

console.log(`\nAll suites: ${((performance.now() - startedAt) / 60_000).toFixed(1)} min`);
for (const failure of failures) console.log(`FAILED: ${failure}`);
for (const text of leftOut) console.log(`LEFT OUT: ${text}`);
if (inCi) totals.failed += leftOut.length;
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);

function headline({ name }) {
  console.log(`\n── ${name} ${'─'.repeat(60 - name.length)}`);
}

function add(suite, { passed, failed }, begun) {
  totals.passed += passed;
  totals.failed += failed;
  console.log(
    `── ${suite.name}: ${passed} passed, ${failed} failed (${((performance.now() - begun) / 1000).toFixed(0)} s)`,
  );
}

async function joinAsides(isDue) {
  const due = asides.filter(({ suite }) => isDue(suite));
  asides = asides.filter(({ suite }) => !isDue(suite));
  for (const { suite, output, begun, ended } of due) {
    const result = await ended;
    headline(suite);
    process.stdout.write(readFileSync(output, 'utf8'));
    add(suite, result, begun);
  }
}

function isPossible(suite) {
  const parts = suite.needs ?? suite.wants;
  const missing = parts ? missingTools(parts) : [];
  if (missing.length === 0) return true;
  leaveOut(suite.needs ? suite.name : `the parts of ${suite.name} that need Kafka`, missing, parts.packages);
  return !suite.needs;
}

function runSuite(suite, output) {
  return suite.run.kind === 'tests' ? runTests(suite, output) : runCommand(suite, output);
}

/** With its output printed as it comes, or kept in a file. */
async function run(command, options, { modest = false }, output) {
  const file = output === undefined ? 'inherit' : openSync(output, 'w');
  const child = spawn(command, options, { cwd: root, env: environment, stdio: ['ignore', file, file] });
  if (modest && child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  if (file !== 'inherit') closeSync(file);
  try {
    const [status, signal] = await once(child, 'exit');
    return { status, how: signal ? `was ended by ${signal}` : `ended with ${status}` };
  } catch (error) {
    return { status: null, how: `could not be started: ${error.message}` };
  }
}

async function runCommand(suite, output) {
  const { status, how } = await run('npm', ['run', '--silent', suite.run.name], suite, output);
  if (status === 0) return { passed: 1, failed: 0 };
  failures.push(`${suite.name} (${how})`);
  return { passed: 0, failed: 1 };
}

async function runTests(suite, output) {
  const outcome = join(scratch, `${suite.name}.json`);
  const projects = suite.run.projects.flatMap((project) => ['--project', project]);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${outcome}`];
  const options = ['run', ...projects, ...reporters, '--passWithNoTests'];
  const { status, how } = await run('vitest', options, suite, output);
  if (!existsSync(outcome)) {
    failures.push(`${suite.name}: vitest ${how} and left no outcome`);
    return { passed: 0, failed: 1 };
  }
  const report = JSON.parse(readFileSync(outcome, 'utf8'));
  for (const file of report.testResults) {
    const broken = file.assertionResults.filter((test) => test.status === 'failed');
    for (const test of broken) failures.push(`${suite.name}: ${test.fullName}`);
    if (file.status === 'failed' && broken.length === 0) failures.push(`${suite.name}: ${file.name} could not be run`);
  }
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) leftOut.push(`${skipped} tests of ${suite.name} skipped themselves (their output says why)`);
  // A file that cannot be loaded has no tests that could fail; an error outside of tests has none either.
  const unloadable = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + unloadable;
  if (failed === 0 && status !== 0) {
    failures.push(`${suite.name}: vitest ${how}, though every test passed`);
    return { passed: report.numPassedTests, failed: 1 };
  }
  return { passed: report.numPassedTests, failed };
}

function missingTools({ tools, packages }) {
  const isMissing = (tool) => spawnSync(tool, [tool === 'kcat' ? '-V' : '-version'], { stdio: 'ignore' }).status !== 0;
  const missing = () => tools.filter(isMissing);
  const first = missing();
  if (first.length === 0 || process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return first;
  console.log(`\nInstalling ${packages.join(', ')} …`);
  const install = (...args) =>
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status;
  if (install('install', '-y', '-q', '--no-install-recommends', ...packages) !== 0) {
    install('update', '-q');
    install('install', '-y', '-q', '--no-install-recommends', ...packages);
  }
  return missing();
}

function leaveOut(what, missing, packages) {
  leftOut.push(
    `${what}, for want of ${missing.join(' and ')}; install for it (Debian, Ubuntu): apt-get install ${packages.join(' ')}`,
  );
}
