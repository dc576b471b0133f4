/**
 * Job: one service as a child process, started again when it dies.
 * Boundary: what its exit means to others (an executor's proof of death) is told to `onExit`.
 * Invariants:
 *  1. At most one process at a time; a restart is a new incarnation and begins only when the one before has exited.
 *  2. Restarts are spaced: 100 ms doubled up to 10 s, from the start again after a minute of health.
 *  3. After `stop` nothing is started.
 *  4. The child ends when this process ends: its IPC channel closes (`supervised`, libs/telemetry).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { type ReadyReport, readyReportOf } from '@baton/telemetry';

export interface ChildServiceOptions {
  name: string;
  entry: string;
  environment: NodeJS.ProcessEnv;
  logFile: string;
  restart: boolean;
  onReady(report: ReadyReport, pid: number): void;
  onExit(exit: ChildExit): void;
}

export interface ChildExit {
  pid: number;
  code: number | null;
  signal: NodeJS.Signals | null;
  report: ReadyReport | undefined;
  /** Null: it is not started again. */
  nextStartInMs: number | null;
}

const firstPauseMs = 100;
const longestPauseMs = 10_000;
const healthyAfterMs = 60_000;
const rotateAtBytes = 50 * 1024 * 1024;

export class ChildService {
  private child: ChildProcess | undefined;
  private exited: Promise<void> = Promise.resolve();
  private stopping = false;
  private pauseMs = firstPauseMs;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ChildServiceOptions) {}

  get name(): string {
    return this.options.name;
  }

  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Settles when the child says that it is ready, and rejects when it ends before. */
  start(): Promise<ReadyReport> {
    const startedAt = performance.now();
    const log = this.openLog();
    const child = fork(this.options.entry, [], {
      env: this.options.environment,
      stdio: ['ignore', log, log, 'ipc'],
      detached: true, // Ctrl-C in the terminal is for the parent, which ends its children in order
    });
    closeSync(log);
    this.child = child;
    let report: ReadyReport | undefined;
    return new Promise((resolve, reject) => {
      child.on('message', (message) => {
        const heard = readyReportOf(message);
        if (!heard) return;
        const isFirst = report === undefined;
        // An executor that was declared lost goes on as another incarnation: its exit proves that one over.
        report = heard;
        if (!isFirst) return;
        this.options.onReady(heard, child.pid ?? 0);
        resolve(heard);
      });
      child.once('error', reject);
      this.exited = new Promise((settled) => {
        child.once('exit', (code, signal) => {
          if (this.child === child) this.child = undefined;
          if (performance.now() - startedAt > healthyAfterMs) this.pauseMs = firstPauseMs;
          const again = this.options.restart && !this.stopping;
          this.options.onExit({
            pid: child.pid ?? 0,
            code,
            signal,
            report,
            nextStartInMs: again ? this.pauseMs : null,
          });
          if (again) this.startLater();
          settled();
          if (!report)
            reject(new Error(`${this.name} ended with ${code ?? signal} before it was ready.\n${this.lastLines()}`));
        });
      });
    });
  }

  /** Asks it to end; kills it when it has not within the time. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    const child = this.child;
    if (!child) return;
    const deadline = setTimeout(() => child.kill('SIGKILL'), graceMs);
    child.kill('SIGTERM');
    await this.exited;
    clearTimeout(deadline);
  }

  kill(): void {
    this.stopping = true;
    clearTimeout(this.timer);
    this.child?.kill('SIGKILL');
  }

  private startLater(): void {
    const pause = this.pauseMs;
    this.pauseMs = Math.min(this.pauseMs * 2, longestPauseMs);
    this.timer = setTimeout(() => {
      // A start that fails is an exit like any other: told to onExit, and tried again.
      this.start().catch(() => undefined);
    }, pause);
  }

  private openLog(): number {
    const size = statSync(this.options.logFile, { throwIfNoEntry: false })?.size ?? 0;
    if (size > rotateAtBytes) renameSync(this.options.logFile, `${this.options.logFile}.1`);
    return openSync(this.options.logFile, 'a', 0o600);
  }

  private lastLines(): string {
    return readFileSync(this.options.logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
  }
}
