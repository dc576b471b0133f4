import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** The world of the demo, as a process of its own. Tells its port when it listens. */
export async function startTarget(ledgerFile: string): Promise<{ port: number; stop(): void }> {
  const child = fork(process.argv[1] ?? '', ['target', ledgerFile], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return { port: message.port, stop: () => (child.connected ? child.disconnect() : undefined) };
}

export interface BatonFile {
  url: string;
  token: string;
  database: string;
  /** Where events go over Kafka. */
  brokers?: string;
  pids: { intake: number; scheduler: number; executors: number[] };
}

/** Baton as a user starts it: `baton up` with a data directory of the demo's own. */
export class BatonUnderTest {
  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
  ) {}

  static async start(
    launcher: string,
    directory: string,
    options: string[],
    environment: Record<string, string> = {},
  ): Promise<BatonUnderTest> {
    const child = spawn(process.execPath, [launcher, 'up', '--data', directory, ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...environment },
    });
    const baton = new BatonUnderTest(child, directory);
    let printed = '';
    child.stdout?.setEncoding('utf8');
    child.stderr?.setEncoding('utf8');
    child.stderr?.on('data', (chunk: string) => {
      printed = (printed + chunk).slice(-8_000);
    });
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', (chunk: string) => {
        printed += chunk;
        if (/https?:\/\/127\.0\.0\.1:\d+/.test(printed)) resolve();
      });
      child.once('exit', (code) => reject(new Error(`baton up ended with ${code}:\n${printed}`)));
    });
    return baton;
  }

  /** What `baton up` wrote down: rewritten whenever it replaces a child. */
  read(): BatonFile {
    return JSON.parse(readFileSync(`${this.directory}/baton.json`, 'utf8')) as BatonFile;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}
