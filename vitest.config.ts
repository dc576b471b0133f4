import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], more: { maxWorkers?: number; testTimeout?: number } = {}) => ({
  resolve: { tsconfigPaths: true },
  test: {
    name,
    include,
    pool: 'forks' as const,
    hookTimeout: 60_000,
    testTimeout: 20_000,
    ...more,
  },
});

/** One project per layer: `npx vitest run --project simulation`. The heaviest layers run one file at a time. */
export default defineConfig({
  // The global setup is loaded by this one, not by a project.
  resolve: { tsconfigPaths: true },
  test: {
    globalSetup: ['libs/testing/src/postgres/global-setup.ts'],
    // Much of what runs waits for a database or a broker.
    maxWorkers: 3,
    projects: [
      project('unit', ['libs/*/src/**/*.spec.ts', 'apps/*/src/**/*.spec.ts']),
      project('architecture', ['test/architecture/**/*.spec.ts']),
      project('integration', ['test/integration/**/*.spec.ts'], { testTimeout: 60_000 }),
      // At low priority beside the others: how long it takes says nothing.
      project('simulation', ['test/simulation/**/*.spec.ts'], { testTimeout: 3_600_000 }),
      project('crash', ['test/crash/**/*.spec.ts'], { maxWorkers: 1, testTimeout: 120_000 }),
      project('chaos', ['test/chaos/*.spec.ts'], { maxWorkers: 1, testTimeout: 600_000 }),
      project('outage', ['test/chaos/outage/**/*.spec.ts'], { maxWorkers: 1, testTimeout: 900_000 }),
      project('consumers', ['test/consumers/**/*.spec.ts'], { maxWorkers: 1, testTimeout: 120_000 }),
      project('e2e', ['test/e2e/**/*.spec.ts', 'test/upgrade/**/*.spec.ts', 'test/examples/**/*.spec.ts'], {
        maxWorkers: 2,
        testTimeout: 180_000,
      }),
    ],
  },
});
