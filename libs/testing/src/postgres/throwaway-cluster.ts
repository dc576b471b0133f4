import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDataDirectory, isAlive, PostgresCluster, postgresBinaries, postgresOwner } from '@baton/postgres';

const homePrefix = 'baton-test-postgres-';

/** Tests survive processes that die, not machines that do: no fsync. */
const testSettings = { fsync: 'off', full_page_writes: 'off', max_connections: 200, shared_buffers: '32MB' };

export interface ThrowawayCluster {
  cluster: PostgresCluster;
  /** Stops it and removes its files. */
  drop(): Promise<void>;
}

/** A cluster of its own: initdb's result is kept over runs and copied. */
export async function throwawayCluster(settings: Record<string, string | number> = {}): Promise<ThrowawayCluster> {
  const pristine = await pristineDataDirectory();
  removeLeftovers();
  const home = mkdtempSync(join(tmpdir(), `${homePrefix}${process.pid}-`));
  chmodSync(home, 0o711);
  const directory = join(home, 'data');
  copyKeepingOwner(pristine, directory);
  const remove = () => rmSync(home, { recursive: true, force: true });
  // Also when a test run is interrupted; PostgreSQL itself ends with the pipe to it.
  process.once('exit', remove);
  const cluster = await PostgresCluster.start({
    directory,
    logFile: join(home, 'postgres.log'),
    settings: { ...testSettings, ...settings },
    durable: false,
  });
  return {
    cluster,
    async drop() {
      await cluster.stop('immediate');
      process.removeListener('exit', remove);
      remove();
    },
  };
}

/** What runs that were killed left behind. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(homePrefix) ? Number(name.slice(homePrefix.length).split('-')[0]) : 0;
    if (pid > 0 && !isAlive(pid)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

async function pristineDataDirectory(): Promise<string> {
  const owner = postgresOwner();
  const binaries = await postgresBinaries(owner);
  const version = spawnSync(binaries.postgres, ['--version'], { encoding: 'utf8' }).stdout.trim().split(' ').at(-1);
  const cache = join(tmpdir(), `baton-test-initdb-${version}-${owner.uid ?? process.getuid?.() ?? 'user'}`);
  mkdirSync(cache, { recursive: true });
  chmodSync(cache, 0o711);
  const directory = join(cache, 'data');
  if (!existsSync(join(directory, 'PG_VERSION'))) {
    const mine = join(cache, `data-${process.pid}`);
    await ensureDataDirectory(mine, binaries, owner, { durable: false });
    try {
      renameSync(mine, directory);
    } catch (error) {
      rmSync(mine, { recursive: true, force: true });
      if (!existsSync(join(directory, 'PG_VERSION'))) throw error; // another run was faster otherwise
    }
  }
  return directory;
}

function copyKeepingOwner(from: string, to: string): void {
  const copied = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
  if (copied.status !== 0) throw new Error(`The data directory could not be copied: ${copied.stderr}`);
}
