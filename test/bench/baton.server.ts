import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BatonClient } from '@baton/client';
import pg from 'pg';
import { cpuMs } from './cpu.time.js';
import { leanFetch } from './lean.fetch.js';

export interface BatonSettings {
  apps: string;
  operators: string;
  executors: number;
  work: string;
  profile?: string | null;
  environment?: NodeJS.ProcessEnv;
  /** More options of `baton up`. */
  options?: string[];
}

interface Whereabouts {
  url: string;
  token: string;
  database: string;
  pids: { parent: number; postgres: number; intake: number; scheduler: number; executors: number[] };
}

/** CPU milliseconds by part. */
export type CpuByPart = Record<'intake' | 'scheduler' | 'executors' | 'postgres' | 'client', number>;

/** Baton as a user starts it: `baton up` with an embedded PostgreSQL in a folder of its own. */
export class BatonServer {
  /** All that run: a bench that is told to end stops them. */
  static readonly running = new Set<BatonServer>();
  readonly client: BatonClient;
  readonly pool: pg.Pool;
  private readonly own: ChildProcess[] = [];

  private constructor(
    private readonly child: ChildProcess,
    readonly directory: string,
    private readonly settings: BatonSettings,
  ) {
    BatonServer.running.add(this);
    const { url, token, database } = this.whereabouts();
    this.client = new BatonClient({ url, token, fetch: leanFetch(url) });
    this.pool = new pg.Pool({
      connectionString: database,
      max: 3,
      application_name: 'baton bench',
      options: '-c enable_seqscan=off',
    });
    this.pool.on('error', () => undefined); // a connection that broke while idle: PostgreSQL is restarted by W3
  }

  static async start(settings: BatonSettings): Promise<BatonServer> {
    const directory = mkdtempSync(join(settings.work, 'baton-bench-'));
    chmodSync(directory, 0o711); // PostgreSQL may run as another user, who has to pass through
    const log = openSync(join(directory, 'up.log'), 'a');
    const environment: NodeJS.ProcessEnv = { ...process.env, LOG_LEVEL: 'warn', ...settings.environment };
    if (settings.profile) {
      mkdirSync(settings.profile, { recursive: true });
      environment['NODE_OPTIONS'] = `--cpu-prof --cpu-prof-dir=${settings.profile}`;
    }
    const main = join(settings.apps, 'standalone', 'main.js');
    const child = spawn(
      process.execPath,
      [
        main,
        '--data',
        directory,
        '--port',
        '0',
        '--executors',
        String(settings.executors),
        '--operators',
        settings.operators,
        ...(settings.options ?? []),
      ],
      { stdio: ['ignore', 'pipe', log], env: environment },
    );
    closeSync(log);
    let printed = '';
    const { stdout } = child;
    if (!stdout) throw new Error('Baton has no output to read its address from.');
    stdout.setEncoding('utf8');
    await new Promise<void>((resolve, reject) => {
      stdout.on('data', (chunk: string) => {
        printed += chunk;
        if (/https?:\/\/127\.0\.0\.1:\d+/.test(printed)) resolve();
      });
      child.once('exit', (code) =>
        reject(new Error(`Baton ended with ${code}: ${readFileSync(join(directory, 'up.log'), 'utf8')}`)),
      );
    });
    return new BatonServer(child, directory, settings);
  }

  whereabouts(): Whereabouts {
    return JSON.parse(readFileSync(join(this.directory, 'baton.json'), 'utf8')) as Whereabouts;
  }

  secretKey(): string {
    const secrets = JSON.parse(readFileSync(join(this.directory, 'secrets.json'), 'utf8')) as { secretKey: string };
    return secrets.secretKey;
  }

  /** What each part has used since it began. */
  cpu(): CpuByPart {
    const { pids } = this.whereabouts();
    const { user, system } = process.cpuUsage();
    return {
      intake: cpuMs(pids.intake, false),
      scheduler: cpuMs(pids.scheduler, false),
      executors: [...pids.executors, ...this.own.map(({ pid }) => pid ?? 0)].reduce(
        (sum, pid) => sum + cpuMs(pid, false),
        0,
      ),
      postgres: cpuMs(pids.postgres, true),
      client: (user + system) / 1000,
    };
  }

  async query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    return (await this.pool.query<T>(text, values)).rows;
  }

  /** An executor beside those of `baton up`: its exit is seen by nobody. */
  async addExecutor(): Promise<ChildProcess> {
    const { apps, operators, environment } = this.settings;
    const child = fork(join(apps, 'executor', 'main.js'), [], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: {
        ...process.env,
        LOG_LEVEL: 'warn',
        DATABASE_URL: this.whereabouts().database,
        BATON_SECRET_KEY: this.secretKey(),
        BATON_OPERATORS: operators,
        PORT: '0',
        ...environment,
      },
    });
    await once(child, 'message');
    this.own.push(child);
    return child;
  }

  /** SIGTERM hands everything back; SIGKILL also ends one that is frozen. */
  async removeExecutor(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      const over = once(child, 'exit');
      child.kill(signal);
      await over;
    }
    const at = this.own.indexOf(child);
    if (at >= 0) this.own.splice(at, 1);
  }

  async untilAlive(executors: number): Promise<void> {
    for (;;) {
      const { items } = await this.client.executors();
      if (items.filter(({ status }) => status === 'alive').length === executors) return;
      await pause(50);
    }
  }

  async stop(): Promise<void> {
    if (!BatonServer.running.delete(this)) return;
    for (const child of [...this.own]) await this.removeExecutor(child, 'SIGKILL');
    await this.pool.end();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function cpuBetween(before: CpuByPart, after: CpuByPart): CpuByPart {
  return {
    intake: after.intake - before.intake,
    scheduler: after.scheduler - before.scheduler,
    executors: after.executors - before.executors,
    postgres: after.postgres - before.postgres,
    client: after.client - before.client,
  };
}
