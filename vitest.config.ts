import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    pool: 'forks',
    globalSetup: ['libs/testing/src/postgres/global.setup.ts'],
    include: ['libs/*/src/**/*.spec.ts', 'apps/*/src/**/*.spec.ts', 'test/**/*.spec.ts'],
    hookTimeout: 60_000,
    testTimeout: 20_000,
  },
});
