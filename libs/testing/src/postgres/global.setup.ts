import { testCluster } from './test.cluster.js';

/** Vitest's global setup: one PostgreSQL for all test files of a run. */
export default async function setup(): Promise<() => void> {
  const cluster = await testCluster({ max_connections: 400 });
  process.env['BATON_TEST_POSTGRES'] = cluster.url();
  return () => cluster.remove();
}
