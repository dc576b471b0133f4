import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fsyncPath } from './fsync-path.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import { canEnter, type PostgresOwner } from './postgres-owner.js';

export interface DataDirectoryOptions {
  /** The superuser's password; without one everybody on this machine is trusted (tests). */
  password?: string;
  /** Off only for what is thrown away. */
  durable?: boolean;
}

/** Makes PostgreSQL's data directory unless it is there: beside its place, moved there when whole, so that a power cut leaves no half of one. */
export async function ensureDataDirectory(
  directory: string,
  binaries: PostgresBinaries,
  owner: PostgresOwner,
  options: DataDirectoryOptions = {},
): Promise<void> {
  if (existsSync(join(directory, 'PG_VERSION'))) return;
  const parent = dirname(directory);
  mkdirSync(parent, { recursive: true });
  if (!canEnter(owner, parent)) {
    throw new Error(
      `PostgreSQL, which runs as the user "postgres" when Baton is started by root, cannot enter ${parent}. Choose another folder ("--data /var/lib/baton"), or start Baton as an ordinary user.`,
    );
  }
  const unfinished = `${directory}.new-${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  const passwordFile = `${unfinished}.password`;
  try {
    give(unfinished, owner);
    const authentication =
      options.password === undefined ? ['-A', 'trust'] : ['-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    if (options.password !== undefined) {
      writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
      give(passwordFile, owner);
    }
    const durability = options.durable === false ? ['--no-sync'] : [];
    await run(
      binaries.initdb,
      ['-D', unfinished, '-U', 'postgres', '--no-locale', '-E', 'UTF8', ...authentication, ...durability],
      owner,
    );
    renameSync(unfinished, directory);
    if (options.durable !== false) fsyncPath(parent);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(unfinished, { recursive: true, force: true });
  }
}

export interface PostmasterState {
  pid: number;
  /** Process id, folder and start time: another start has another one, even where process ids begin anew. */
  identity: string;
  /** PostgreSQL says that it accepts connections. */
  ready: boolean;
}

/** What `postmaster.pid` says; the file may be left over from a power cut. */
export function postmasterState(directory: string): PostmasterState | undefined {
  const file = join(directory, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n');
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0
    ? { pid, identity: lines.slice(0, 3).join('\n'), ready: lines[7]?.trim() === 'ready' }
    : undefined;
}

/** Gives a file or folder to PostgreSQL's user, where that is another one. */
export function give(path: string, owner: PostgresOwner): void {
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(path, owner.uid, owner.gid);
  chmodSync(path, path.endsWith('.log') || path.endsWith('.password') ? 0o600 : 0o700);
}

function run(program: string, args: string[], owner: PostgresOwner): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...owner,
      cwd: '/',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}: ${complaint.trim()}`)),
    );
  });
}
