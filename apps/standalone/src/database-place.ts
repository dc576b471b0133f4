import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { canEnter, postgresOwner } from '@baton/postgres';

/** Where Debian and others keep what services hold. */
const systemFolder = '/var/lib/baton';

/**
 * Where the database lies: in the data folder. Started by root in a folder that only root may enter (a clone in root's
 * home), PostgreSQL, which then runs as `postgres`, could not get there: its folder is made in the system's place and
 * linked, so that the data folder still leads to everything.
 */
export function databasePlace(dataFolder: string, say: (text: string) => void): string {
  const place = join(dataFolder, 'postgres');
  if (existsSync(place)) return realpathSync(place);
  if (canEnter(postgresOwner(), dataFolder)) return place;
  mkdirSync(systemFolder, { recursive: true, mode: 0o755 });
  const folder = mkdtempSync(join(systemFolder, 'database-'));
  chmodSync(folder, 0o711);
  const directory = join(folder, 'postgres');
  mkdirSync(directory);
  symlinkSync(directory, place);
  say(`PostgreSQL runs as the user "postgres", who cannot enter ${dataFolder}: the database is kept in ${directory}.`);
  return directory;
}
