import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { readyReportOf } from '@baton/telemetry';

const entryOf = (app: string) => new URL(`../../dist/apps/${app}/main.js`, import.meta.url).pathname;

/** One service as a real process of the operating system. */
export class ServiceProcess {
  /** Of an executor: what it was called, the last one is what it is. */
  readonly incarnations: string[] = [];
  /** Its log, one parsed line each. */
  readonly lines: Record<string, unknown>[] = [];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly ready: Promise<void>;
  private readonly child: ChildProcess;
  isFrozen = false;
  /** Known when it is ready. */
  port = 0;

  constructor(
    app: string,
    environment: Record<string, string>,
    onLine: (line: Record<string, unknown>) => void = () => undefined,
  ) {
    const { PATH = '' } = process.env;
    this.child = fork(entryOf(app), [], {
      env: { PATH, LOG_LEVEL: 'info', ...environment },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    if (this.child.stdout === null) throw new Error(`no output of the ${app}`);
    createInterface({ input: this.child.stdout }).on('line', (text) => {
      const line = parsed(text);
      this.lines.push(line);
      if (this.lines.length > 2000) this.lines.splice(0, 1000);
      onLine(line);
    });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.ready = new Promise((resolve, reject) => {
      this.child.on('message', (message) => {
        const report = readyReportOf(message);
        if (report === undefined) return;
        this.port = report.port;
        if (report.executor !== undefined) this.incarnations.push(report.executor);
        resolve();
      });
      void this.exited.then(({ code, signal }) =>
        reject(new Error(`${app} ended before it was ready: ${code ?? signal}\n${this.log()}`)),
      );
    });
    this.ready.catch(() => undefined);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    if (signal === 'SIGSTOP') this.isFrozen = true;
    if (signal === 'SIGCONT') this.isFrozen = false;
    this.child.kill(signal);
  }

  log(): string {
    return this.lines
      .slice(-30)
      .map((line) => JSON.stringify(line))
      .join('\n');
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { msg: text };
  }
}
