import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

interface SourceRule {
  name: string;
  files: (path: string) => boolean;
  forbidden: RegExp;
  /** What the rule must find, so that it is known to be able to. */
  planted: string[];
  /** Files that may, each with its reason. */
  except?: Record<string, string>;
}

const isTest = (path: string) => /\.(spec|fixture|contract|spec-helper)\.ts$|-under-test\.ts$|\/contract\//.test(path);
const isService = (path: string) => /^(apps|libs)\//.test(path) && !path.startsWith('libs/testing/') && !isTest(path);
const isProcess = (path: string) => path.startsWith('libs/process/') && !isTest(path);

const rules: SourceRule[] = [
  {
    name: 'libs/process reads no clock and draws no lots: the same events decide the same',
    files: isProcess,
    forbidden: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bMath\.random\b|\brandomUUID\b/,
    planted: ['const t = Date.now();', 'const t = new Date();', 'performance.now()', 'Math.random()'],
  },
  {
    name: 'libs/process waits for nothing',
    files: isProcess,
    forbidden: /\basync\b(?!:)|\bawait\b|\bsetTimeout\b|\bsetInterval\b|\bnew Promise\b/,
    planted: ['async function f() {}', 'await x;', 'setTimeout(f, 1)'],
  },
  {
    name: 'libs/process reads nothing of the machine',
    files: isProcess,
    forbidden: /\bprocess\.(env|cwd|argv|pid|hrtime)\b|\bglobalThis\.process\b/,
    planted: ["process.env['HOME']"],
  },
  {
    name: 'no catch is empty: what is swallowed is said or handled',
    files: (path) => !path.startsWith('test/model/'),
    forbidden: /\bcatch\s*(\([^)]*\))?\s*\{\s*\}|\.catch\(\s*\([^)]*\)\s*=>\s*\{\s*\}\s*\)/,
    planted: ['try { f(); } catch {}', 'try { f(); } catch (error) {\n}', 'p.catch(() => {})'],
  },
  {
    name: 'errors are told apart by code or class, never by their words',
    files: isService,
    forbidden: /\.test\(\s*(\w+\.)*message\b|\bmessage\.(includes|match|startsWith|indexOf|search)\(/,
    planted: ["if (error.message.includes('x')) f();", 'if (/gone/.test(error.message)) f();'],
    except: {
      'apps/intake/src/http/database-away.ts': 'the pool gives its own timeouts and closed connections no code',
      'libs/event-log/src/postgres/pg-errors.ts': 'the pool gives its own timeouts and closed connections no code',
      'apps/intake/src/http/json.body.ts': 'JSON.parse says where it stopped in its message alone',
      'libs/process/src/compile/compile-context.ts': "the type check's faults carry no code",
    },
  },
  {
    name: 'services write to their log, not to the console',
    files: (path) => isService(path) && !/^apps\/(cli|demo|standalone)\//.test(path),
    forbidden: /\bconsole\.\w+\(/,
    planted: ["console.log('x');", 'console.error(error);'],
  },
  {
    name: 'what is written is finished',
    files: () => true,
    forbidden: /\b(TODO|FIXME|XXX)\b/,
    planted: [`// ${'TO'}${'DO'}: later`],
  },
  {
    name: 'types say what is there',
    files: (path) => path.endsWith('.ts'),
    forbidden: /\bas unknown as\b|\bas any[;,)\]]|@ts-ignore|@ts-nocheck/,
    planted: ['x as unknown as T', '// @ts-ignore'],
  },
  {
    name: 'of kafkajs only what Node finds among its exports is imported: a built service has undefined for the rest',
    files: isService,
    forbidden:
      /^import (?!type )\{[^}]*(?<!type )\b(CompressionCodecs|ConfigResourceTypes|ConfigSource|Acl\w+|ResourcePatternTypes|KafkaJS\w+)\b[^}]*\} from 'kafkajs'/m,
    planted: ["import { type Admin, ConfigResourceTypes } from 'kafkajs';", "import { KafkaJSError } from 'kafkajs';"],
  },
  {
    name: 'a test waits for what happens, not for time to pass',
    files: (path) => path.endsWith('.spec.ts'),
    // `timers.sleep` is the injected clock's, which the test itself moves.
    forbidden: /\bsetTimeout\(|(?<![.\w])sleep\(|from 'node:timers\/promises'/,
    planted: ['await sleep(100);', "import { setTimeout } from 'node:timers/promises';"],
  },
];

/** Comments are no code: a rule about code does not look into them. */
const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

const sources = globSync(['apps/**/*.{ts,mjs}', 'libs/**/*.{ts,mjs}', 'test/**/*.{ts,mjs}', 'bin/*.mjs'], { cwd: root })
  // This file names what it looks for.
  .filter((path) => path !== 'test/architecture/sources.spec.ts')
  .map((path) => {
    const text = readFileSync(resolve(root, path), 'utf8');
    return { path, text, code: withoutComments(text) };
  });

describe.each(rules)('$name', (rule) => {
  const about = (source: (typeof sources)[number]) =>
    rule.name === 'what is written is finished' ? source.text : source.code;
  const breaking = sources.filter((source) => rule.files(source.path) && rule.forbidden.test(about(source)));

  it('holds in every file', () => {
    expect(breaking.map((source) => source.path).filter((path) => !rule.except?.[path])).toEqual([]);
  });

  it('would find a planted violation', () => {
    for (const text of rule.planted) expect(text).toMatch(rule.forbidden);
  });

  it('keeps no exception that nothing needs', () => {
    const paths = breaking.map((source) => source.path);
    expect(Object.keys(rule.except ?? {}).filter((path) => !paths.includes(path))).toEqual([]);
  });
});

it('looks at the whole house', () => {
  expect(sources.length).toBeGreaterThan(300);
});

it('no file is longer than 500 lines', () => {
  const long = sources.filter(
    (source) => source.text.split('\n').length > 501 && !source.path.startsWith('test/model/'),
  );
  expect(long.map((source) => source.path)).toEqual([]);
});
