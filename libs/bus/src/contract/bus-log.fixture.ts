import {
  clusterTail,
  createLogPool,
  type EventToAppend,
  migrateLog,
  PostgresEventLog,
  PostgresExecutorRegistry,
  PostgresTail,
  uuidv7,
} from '@baton/event-log';
import { testDatabase } from '@baton/testing';
import type { Logger, LogPool, Meter } from '../bus.ports.js';

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
export const silentMeter: Meter = { count: () => undefined, record: () => undefined };

/** A log on a real PostgreSQL that the contract's events are appended to. */
export async function openLog(): Promise<{
  pool: LogPool;
  tail: PostgresTail;
  clusterTail: PostgresTail;
  log: PostgresEventLog;
  executors: PostgresExecutorRegistry;
  append(stream: string, types: readonly string[], inputs?: { [name: string]: string }): Promise<void>;
  close(): Promise<void>;
}> {
  const database = await testDatabase({
    migrate: {
      name: 'log with duties',
      async run(url) {
        const pool = createLogPool({ url, application: 'migrations' });
        await migrateLog(pool);
        await pool.end();
      },
    },
  });
  const pool = createLogPool({ url: database.url, application: 'bus spec', max: 10 });
  const log = new PostgresEventLog(pool, 'c1');
  return {
    pool,
    tail: new PostgresTail(pool, 'c1'),
    clusterTail: clusterTail(pool, 'c1'),
    log,
    executors: new PostgresExecutorRegistry(pool, database.url),
    async append(stream, types, inputs = {}) {
      const version = (await log.heads([stream])).get(stream)?.version ?? 'none';
      const events = types.map((type): EventToAppend => ({ id: uuidv7(), event: sample(type, inputs), metadata: {} }));
      const [result] = await log.append([{ stream, expected: version, events }]);
      if (result?.status !== 'appended') throw new Error(`the events of ${stream} were refused`);
    },
    async close() {
      await pool.end();
      await database.drop();
    },
  };
}

function sample(type: string, inputs: { [name: string]: string }): EventToAppend['event'] {
  switch (type) {
    case 'ProcessRequested':
      return {
        type,
        data: {
          definition: { name: 'default/x', version: 1, digest: 'd' },
          environment: null,
          inputs,
          priority: 5,
          labels: {},
          requester: { id: 'spec', groups: [] },
        },
      };
    case 'ProcessScheduled':
      return { type, data: {} };
    case 'ProcessRetried':
      return { type, data: { by: { id: 'spec' }, paths: [] } };
    case 'ProcessCompleted':
      return { type, data: { outputs: {} } };
    default:
      throw new Error(`the contract has no sample of ${type}`);
  }
}
