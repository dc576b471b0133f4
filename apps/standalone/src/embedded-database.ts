/**
 * Job: the PostgreSQL of `baton up`: durable, in the data folder, with a password of its own.
 * Invariants:
 *  1. A lock file of PostgreSQL that a power cut left behind, whose process id now is somebody else's, does not hinder a start.
 *  2. A PostgreSQL that is still shutting down after its parent was killed is waited for; one that stays is refused by its id.
 *  3. When PostgreSQL ends without being asked, it is started again on the same port.
 */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { DataDirectoryInUse, isAlive, PostgresCluster, postmasterState } from '@baton/postgres';
import { createDatabase } from './create-database.js';
import type { DataFolder } from './data-folder.js';
import { databasePlace } from './database-place.js';
import { commandOf } from './process-identity.js';

const shutdownMs = 20_000;
const databaseName = 'baton';

export class EmbeddedDatabase {
  private stopping = false;

  private constructor(
    private readonly cluster: PostgresCluster,
    private readonly say: (text: string) => void,
    private readonly onStarted: () => void,
  ) {}

  static async start(
    folder: DataFolder,
    password: string,
    say: (text: string) => void,
    onRestarted: () => void,
  ): Promise<EmbeddedDatabase> {
    const directory = databasePlace(folder.path, say);
    await untilFree(directory);
    const cluster = await PostgresCluster.start({
      directory,
      logFile: folder.file('logs/postgres.log'),
      password,
      settings: { max_connections: 200, idle_in_transaction_session_timeout: '60s' },
    });
    await createDatabase(cluster.url(), databaseName);
    const database = new EmbeddedDatabase(cluster, say, onRestarted);
    void database.watch();
    return database;
  }

  get url(): string {
    return this.cluster.url(databaseName);
  }

  get pid(): number | undefined {
    return this.cluster.pid;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.cluster.stop('fast');
  }

  private async watch(): Promise<void> {
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 10_000)) {
      await this.cluster.whenEnded;
      if (this.stopping) return;
      this.say(`PostgreSQL ended; starting it again in ${pauseMs} ms.`);
      await delay(pauseMs);
      if (this.stopping) return;
      try {
        await untilFree(this.cluster.directory);
        await this.cluster.start();
        this.onStarted();
        pauseMs = 100;
      } catch (error) {
        this.say(`PostgreSQL could not be started again: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
}

async function untilFree(directory: string): Promise<void> {
  const deadline = performance.now() + shutdownMs;
  for (;;) {
    const state = postmasterState(directory);
    if (!state || !isAlive(state.pid)) return;
    if (!/postgres/i.test(commandOf(state.pid) ?? '')) {
      rmSync(`${directory}/postmaster.pid`, { force: true });
      return;
    }
    if (performance.now() > deadline) throw new DataDirectoryInUse(directory, state.pid);
    await delay(50);
  }
}
