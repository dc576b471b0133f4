import { globSync } from 'node:fs';
import { matchesGlob, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import config from '../../vitest.config.js';

const root = resolve(import.meta.dirname, '../..');
const projects = (config.test?.projects ?? []).flatMap((project) =>
  typeof project === 'object' && 'test' in project && project.test
    ? [{ name: String(project.test.name), include: project.test.include ?? [] }]
    : [],
);
const projectsOf = (path: string) =>
  projects.filter(({ include }) => include.some((glob) => matchesGlob(path, glob))).map(({ name }) => name);

const specs = globSync('{apps,libs,test,examples,deploy,bin}/**/*.{spec,test}.{ts,mts,js,mjs,tsx}', { cwd: root });

describe('npm test', () => {
  it('runs every spec file, in exactly one project', () => {
    expect(specs.length).toBeGreaterThan(40);
    expect(specs.filter((path) => projectsOf(path).length !== 1)).toEqual([]);
  });

  it('would miss a spec file at a place that no project names', () => {
    expect(projectsOf('libs/bus/spec/stray.spec.ts')).toEqual([]);
    expect(projectsOf('libs/bus/src/lease/lease.spec.ts')).toEqual(['unit']);
  });
});
