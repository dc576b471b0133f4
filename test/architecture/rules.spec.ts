import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${root}docs/reference/event-log.md`, 'utf8');
const rules = page
  .slice(page.indexOf('\n## Rules'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (rule|---) \|/.test(line))
  .map((line) => line.split(' | '));

describe('each rule of the event log', () => {
  it('stands in the table', () => {
    expect(rules.length).toBeGreaterThan(40);
  });

  it.each(rules)('%s', (_rule, code, tests) => {
    const files = [...(code ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
    expect(files.length, 'names its code').toBeGreaterThan(0);
    for (const file of files) expect(existsSync(root + file), file).toBe(true);
    const named = [...(tests ?? '').matchAll(/`([^`]+)`: "([^"]+)"/g)];
    expect(named.length, 'names a test').toBeGreaterThan(0);
    for (const [, file, title] of named) {
      const titles =
        readFileSync(root + file!, 'utf8').match(/(?:it|describe)(?:\.\w+)?\((?:.*?\)\(\s*)?['"`].*|^ {2}['"`].*/gm) ??
        [];
      expect(
        titles.filter((line) => line.includes(title!)),
        `${file}: ${title}`,
      ).not.toEqual([]);
    }
  });
});
