/**
 * Job: one PostgreSQL cluster as a child of this process.
 * Boundary: the data directory is made by `ensureDataDirectory`; what is in the database is not its business.
 * Invariants:
 *  1. PostgreSQL ends when this process ends, however it ends: a guard shell holds the read end of a pipe whose write end
 *     dies with us, and stops PostgreSQL (fast) when it closes.
 *  2. Two clusters never run on one data directory: PostgreSQL's own lock file decides; the refusal names its holder.
 *  3. `started` means that PostgreSQL accepts connections.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type DataDirectoryOptions, ensureDataDirectory, give, postmasterState } from './data-directory.js';
import { freePort } from './free-port.js';
import { postgresBinaries } from './postgres-binaries.js';
import { postgresOwner } from './postgres-owner.js';

export interface PostgresClusterOptions extends DataDirectoryOptions {
  directory: string;
  logFile: string;
  /** A free one unless given; a restart keeps it. */
  port?: number;
  settings?: Record<string, string | number>;
}

export type StopMode = 'smart' | 'fast' | 'immediate';

const stopSignals: Record<StopMode, NodeJS.Signals> = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' };

/** PostgreSQL is the shell's own child, so its process id cannot be another's while the shell has not waited for it. */
const guardScript = `
exec 3<&0
"$@" </dev/null 3<&- &
postmaster=$!
( while read -r line <&3; do :; done; kill -INT "$postmaster" ) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$postmaster"; code=$?
kill "$watcher" 2>/dev/null
exit "$code"`;

/** The data directory is held by a PostgreSQL that runs. */
export class DataDirectoryInUse extends Error {
  constructor(
    readonly directory: string,
    readonly pid: number,
  ) {
    super(`The data directory ${directory} is in use by process ${pid}.`);
  }
}

export class PostgresCluster {
  readonly directory: string;
  private guard: ChildProcess | undefined;
  private ended: Promise<number | null> = Promise.resolve(null);

  private constructor(
    private readonly options: PostgresClusterOptions,
    readonly port: number,
  ) {
    this.directory = options.directory;
  }

  static async start(options: PostgresClusterOptions): Promise<PostgresCluster> {
    const cluster = new PostgresCluster(options, options.port ?? (await freePort()));
    await cluster.start();
    return cluster;
  }

  url(database = 'postgres'): string {
    const password = this.options.password === undefined ? '' : `:${encodeURIComponent(this.options.password)}`;
    return `postgres://postgres${password}@127.0.0.1:${this.port}/${database}`;
  }

  /** The postmaster's process id while it runs. */
  get pid(): number | undefined {
    return this.guard ? postmasterState(this.directory)?.pid : undefined;
  }

  /** Settles when PostgreSQL has ended, by whatever. */
  get whenEnded(): Promise<number | null> {
    return this.ended;
  }

  async start(): Promise<void> {
    if (this.guard) throw new Error('This cluster runs already.');
    const owner = postgresOwner();
    const binaries = await postgresBinaries(owner);
    await ensureDataDirectory(this.directory, binaries, owner, this.options);
    const before = postmasterState(this.directory);
    const log = openSync(this.options.logFile, 'a', 0o600);
    give(this.options.logFile, owner);
    const settings = {
      port: this.port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      ...this.options.settings,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const guard = spawn(
      '/bin/sh',
      ['-c', guardScript, 'baton-postgres', binaries.postgres, '-D', this.directory, ...args],
      {
        ...owner,
        cwd: '/',
        env: { ...process.env, LC_ALL: 'C' },
        stdio: ['pipe', log, log],
        detached: true, // Ctrl-C in the terminal is for us; PostgreSQL is stopped last
      },
    );
    closeSync(log);
    this.guard = guard;
    this.ended = new Promise((resolve) => {
      guard.once('error', () => resolve(null));
      guard.once('exit', (code) => resolve(code));
    }).then((code) => {
      if (this.guard === guard) this.guard = undefined;
      return typeof code === 'number' ? code : null;
    });
    // A running PostgreSQL is no reason for this process to stay.
    guard.unref();
    if (guard.stdin instanceof Socket) guard.stdin.unref();
    await this.untilReady(before?.identity);
  }

  async stop(mode: StopMode = 'fast'): Promise<void> {
    const pid = this.pid;
    if (pid === undefined) return void (await this.ended);
    this.guard?.ref();
    signal(pid, stopSignals[mode]);
    await this.ended;
  }

  async restart(mode: StopMode = 'fast'): Promise<void> {
    await this.stop(mode);
    await this.start();
  }

  /** As in a power cut: no shutdown, nothing written. Its backends notice and end. */
  async kill(): Promise<void> {
    const pid = this.pid;
    this.guard?.ref();
    if (pid !== undefined) signal(pid, 'SIGKILL');
    await this.ended;
  }

  private async untilReady(identityBefore: string | undefined): Promise<void> {
    let over: number | null | undefined;
    void this.ended.then((code) => {
      over = code;
    });
    for (;;) {
      const state = postmasterState(this.directory);
      // A lock file from before may be a stale one, or belong to a PostgreSQL that runs: ours then ends by itself.
      if (over === undefined && state?.ready && state.identity !== identityBefore) return;
      if (over !== undefined) {
        if (state && isAlive(state.pid)) throw new DataDirectoryInUse(this.directory, state.pid);
        const log = existsSync(this.options.logFile) ? readFileSync(this.options.logFile, 'utf8') : '';
        throw new Error(
          `PostgreSQL did not start on ${this.directory} (it ended with ${over}). The end of ${this.options.logFile}:\n${log.trim().split('\n').slice(-8).join('\n')}`,
        );
      }
      await delay(15);
    }
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
