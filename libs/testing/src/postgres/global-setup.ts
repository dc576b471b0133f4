import type { TestProject } from 'vitest/node';
import { DatabaseServer } from './database-server.js';

declare module 'vitest' {
  export interface ProvidedContext {
    databaseServerPort: number;
  }
}

/** vitest's global set-up: offers the run's PostgreSQL, and takes it away at its end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = new DatabaseServer();
  project.provide('databaseServerPort', await server.listen());
  return () => server.close();
}
