import { execFileSync, spawnSync } from 'node:child_process';

/** The system user as whom PostgreSQL's programs run; empty where it is the one who started us. */
export interface PostgresOwner {
  uid?: number;
  gid?: number;
}

const accountName = 'postgres';

/** PostgreSQL refuses to run as root: there it runs as `postgres`, who is created where the system has none. */
export function postgresOwner(): PostgresOwner {
  if (process.getuid?.() !== 0) return {};
  const known = accountIds();
  if (known) return known;
  spawnSync('groupadd', ['--system', accountName], { stdio: 'ignore' });
  const made = spawnSync('useradd', ['--system', '--no-create-home', '-g', accountName, accountName], {
    encoding: 'utf8',
  });
  const created = accountIds();
  if (!created) {
    throw new Error(
      `PostgreSQL does not run as root, and the user "${accountName}" could not be created (${made.error?.message ?? made.stderr.trim()}). Create it with "useradd --system ${accountName}", or start Baton as an ordinary user.`,
    );
  }
  return created;
}

function accountIds(): { uid: number; gid: number } | undefined {
  try {
    const id = (flag: string) =>
      Number(execFileSync('id', [flag, accountName], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined; // `id` ends with 1 where there is no such user
  }
}

/** Whether the owner may enter the folder: under root's home it may not. */
export function canEnter(owner: PostgresOwner, folder: string): boolean {
  if (owner.uid === undefined) return true;
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...owner, cwd: '/', stdio: 'ignore' }).status === 0;
}
