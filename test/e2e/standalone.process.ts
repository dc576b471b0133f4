import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BatonClient } from '@baton/client';
import { z } from 'zod';

const batonFile = z.object({
  url: z.string(),
  token: z.string(),
  database: z.string(),
  brokers: z.string().optional(),
  pids: z.object({
    parent: z.number(),
    postgres: z.number().optional(),
    kafka: z.number().optional(),
    intake: z.number().optional(),
    scheduler: z.number().optional(),
    executors: z.array(z.number()),
  }),
});
export type BatonFile = z.infer<typeof batonFile>;

export const launcher = resolve(import.meta.dirname, '../../bin/baton.mjs');

/** A folder for `--data`, and `baton up` on it as a user starts it. */
export class StandaloneProcess {
  readonly data: string;
  private child: ChildProcess | undefined;
  private readonly known = new Set<number>();
  printed = '';

  constructor(data?: string) {
    this.data = data ?? mkdtempSync(join(tmpdir(), 'baton-e2e-'));
    if (data === undefined) chmodSync(this.data, 0o711); // PostgreSQL may run as another user
  }

  async start(options: string[] = [], environment: Record<string, string> = {}): Promise<BatonFile> {
    const child = spawn(process.execPath, [launcher, 'up', '--data', this.data, '--port', '0', ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.child = child;
    this.printed = '';
    const ended = once(child, 'exit');
    const ready = new Promise<void>((done) => {
      const hear = (chunk: Buffer) => {
        this.printed += chunk.toString();
        if (this.printed.includes('Baton runs at')) done();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
    });
    const how = await Promise.race([ready, ended.then(([code]) => `baton up ended with ${code}:\n${this.printed}`)]);
    if (how) throw new Error(how);
    return this.told();
  }

  /** What `baton.json` says now. */
  told(): BatonFile {
    const told = batonFile.parse(JSON.parse(readFileSync(join(this.data, 'baton.json'), 'utf8')));
    for (const pid of pidsOf(told)) this.known.add(pid);
    return told;
  }

  client(more: { patienceMs?: number; token?: string } = {}): BatonClient {
    const { url, token } = this.told();
    return new BatonClient({ url, token, ...more });
  }

  /** Settles as soon as `baton.json` is such. */
  async until(holds: (told: BatonFile) => boolean): Promise<BatonFile> {
    const changes = watch(this.data);
    try {
      for (;;) {
        const changed = once(changes, 'change');
        const told = this.told();
        if (holds(told)) return told;
        await changed;
      }
    } finally {
      changes.close();
    }
  }

  /** Ends a child, and waits until another one is named in its place. */
  async replace(pid: number, signal: NodeJS.Signals): Promise<BatonFile> {
    const before = pidsOf(this.told()).length;
    process.kill(pid, signal);
    return this.until((told) => pidsOf(told).length === before && !pidsOf(told).includes(pid));
  }

  /** Everything dies in the same moment, PostgreSQL and all its backends included. */
  async cutPower(): Promise<void> {
    const told = this.told();
    const all = pidsOf(told);
    for (const pid of all) process.kill(pid, 'SIGSTOP'); // nobody acts on another's death
    if (told.pids.postgres !== undefined) all.push(...childrenOf(told.pids.postgres));
    for (const pid of all) process.kill(pid, 'SIGKILL');
    await Promise.all(all.map(untilGone));
  }

  async signal(name: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const { child } = this;
    if (!child) throw new Error('It does not run.');
    const ended = once(child, 'exit');
    child.kill(name);
    await ended;
    return { code: child.exitCode, signal: child.signalCode };
  }

  /** Ends everything that was started, whatever a test left it in. */
  async remove(): Promise<void> {
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) await this.signal('SIGTERM');
    await Promise.all([...this.known].map(untilGone));
    rmSync(this.data, { recursive: true, force: true });
  }

  isMarkedRunning(): boolean {
    return existsSync(join(this.data, 'baton.json'));
  }

  log(name: string): string {
    return readFileSync(join(this.data, 'logs', `${name}.log`), 'utf8');
  }
}

export function pidsOf({ pids }: BatonFile): number[] {
  const { parent, postgres, kafka, intake, scheduler, executors } = pids;
  return [parent, postgres, kafka, intake, scheduler, ...executors].filter((pid) => pid !== undefined);
}

function childrenOf(pid: number): number[] {
  const text = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [Number(line)]));
}

/** There is no event for the end of a process that is not our child. */
export async function untilGone(pid: number): Promise<void> {
  while (isThere(pid)) await delay(20);
}

export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
  return !isZombie(pid);
}

/** Dead, and waiting for a parent that does not ask. */
function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false; // no /proc here, or gone meanwhile
    throw error;
  }
}
