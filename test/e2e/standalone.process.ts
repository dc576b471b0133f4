import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

const batonFile = z.object({
  url: z.string(),
  token: z.string(),
  database: z.string(),
  pids: z.object({
    parent: z.number(),
    postgres: z.number(),
    intake: z.number(),
    scheduler: z.number(),
    executors: z.array(z.number()),
  }),
});
export type BatonFile = z.infer<typeof batonFile>;

const launcher = resolve(import.meta.dirname, '../../bin/baton.mjs');

/** A folder for `--data`, and `baton up` on it as a user starts it. */
export class StandaloneProcess {
  readonly data: string;
  private child: ChildProcess | undefined;
  printed = '';

  constructor(data?: string) {
    this.data = data ?? mkdtempSync(join(tmpdir(), 'baton-e2e-'));
    if (data === undefined) chmodSync(this.data, 0o711); // PostgreSQL may run as another user
  }

  async start(options: string[] = []): Promise<BatonFile> {
    const child = spawn(process.execPath, [launcher, 'up', '--data', this.data, '--port', '0', ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
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

  told(): BatonFile {
    return batonFile.parse(JSON.parse(readFileSync(join(this.data, 'baton.json'), 'utf8')));
  }

  /** Everything dies in the same moment, PostgreSQL and all its backends included. */
  async cutPower(): Promise<void> {
    const { pids } = this.told();
    const all = [pids.parent, pids.postgres, pids.intake, pids.scheduler, ...pids.executors];
    for (const pid of all) process.kill(pid, 'SIGSTOP'); // nobody acts on another's death
    for (const pid of all) process.kill(pid, 'SIGKILL');
    await Promise.all(all.map(untilGone));
  }

  /** Settles when `baton.json` names another process in its place: it does so when that one is ready. */
  async killAndAwaitReplacement(executor: number): Promise<void> {
    const { executors } = this.told().pids;
    process.kill(executor, 'SIGKILL');
    const replaced = () => {
      const now = this.told().pids.executors;
      return now.length === executors.length && !now.includes(executor);
    };
    while (!replaced()) await delay(50);
  }

  async signal(name: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const { child } = this;
    if (!child) throw new Error('It does not run.');
    const ended = once(child, 'exit');
    child.kill(name);
    await ended;
    return { code: child.exitCode, signal: child.signalCode };
  }

  async remove(): Promise<void> {
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) await this.signal('SIGTERM');
    rmSync(this.data, { recursive: true, force: true });
  }

  isMarkedRunning(): boolean {
    return existsSync(join(this.data, 'baton.json'));
  }
}

/** There is no event for the end of a process that is not our child. */
export async function untilGone(pid: number): Promise<void> {
  while (isThere(pid)) await delay(20);
}

export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH: it is gone
  }
}
