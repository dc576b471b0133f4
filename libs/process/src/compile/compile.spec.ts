import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compiled, describeFault, faultsOf } from './compile.fixture.js';
import { compile } from './compile.js';

describe('a definition compiles', () => {
  it('with links, joins, templates and defaults of the types', () => {
    const definition = compiled(`
operators:
  a: { type: set, value: { n: 1 } }
  b: { type: http, method: GET, url: "https://x/\${{ operators.a.output.n }}", after: [a] }
  c: { type: delay, for: 1h30m, after: [a, b.failed], join: settled }
`);
    const b = definition.operators.byName.get('b');
    expect(definition.operators.operators.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(b?.recovery).toBe('rerun');
    expect(b?.lateBeginIsHarmless).toBe(true);
    expect(b?.expect?.source).toContain('status');
    expect(definition.outputsRead).toEqual([{ root: 'operators', path: ['a', 'output', 'n'] }]);
    expect(definition.operators.byName.get('c')?.join).toBe('settled');
  });

  it('with the whole example of the language', () => {
    for (const file of ['release.yaml', 'smoke-test.yaml']) {
      const text = readFileSync(new URL(`../../../../apps/demo/definitions/${file}`, import.meta.url), 'utf8');
      const result = compile(text, { version: 1 });
      expect('faults' in result ? result.faults.map(describeFault) : []).toEqual([]);
    }
  });

  it('reports an unknown operator with its place', () => {
    const [fault] = faultsOf('operators:\n  a: { type: set, value: 1, after: [bb] }\n  b: { type: set, value: 1 }\n');
    expect(fault).toMatchObject({ line: 2, path: 'operators.a.after[0]', remedy: 'Did you mean "b"?' });
  });
});
