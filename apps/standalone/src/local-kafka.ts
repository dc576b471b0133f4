/**
 * Job: the Kafka broker of `baton up --kafka`: a real one, in the data folder.
 * Boundary: how a broker is fetched, formatted and started is deploy/kafka/local/broker.mjs's.
 * Invariants:
 *  1. It keeps its port for as long as its folder lives, unless somebody else has taken the port meanwhile.
 *  2. One that ends without being asked is started again, with growing pauses; `--no-restart` leaves it dead.
 *  3. It ends when this process ends, however that happens: its standard input closes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@baton/postgres';
import { z } from 'zod';

const announcement = z.object({ brokers: z.string(), pid: z.number() });
type Announcement = z.infer<typeof announcement>;

export interface LocalKafkaOptions {
  /** deploy/kafka/local/broker.mjs */
  script: string;
  directory: string;
  logFile: string;
  restart: boolean;
  say(text: string): void;
  /** Another process than before, or none. */
  onChange(): void;
}

export class LocalKafka {
  private child: ChildProcess | undefined;
  private announced: Announcement | undefined;
  private ended: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();

  private constructor(
    private readonly options: LocalKafkaOptions,
    private readonly port: number,
  ) {}

  static async start(options: LocalKafkaOptions): Promise<LocalKafka> {
    const kafka = new LocalKafka(options, await portOf(options.directory));
    options.say('Starting a Kafka broker …');
    await kafka.run();
    writeFileSync(portFile(options.directory), String(kafka.port));
    void kafka.watch();
    return kafka;
  }

  get brokers(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The broker's own process. */
  get pid(): number | undefined {
    return this.announced?.pid;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.child?.stdin?.end();
    await this.ended;
  }

  kill(): void {
    this.stopping.abort();
    if (this.pid !== undefined) process.kill(this.pid, 'SIGKILL');
  }

  /** Settles when it answers, and rejects when it ends before. */
  private async run(): Promise<void> {
    const { script, directory, logFile, say } = this.options;
    const child = spawn(
      process.execPath,
      [script, '--data', directory, '--port', String(this.port), '--log', logFile],
      { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
    );
    this.child = child;
    child.stdin.on('error', () => undefined); // it has ended: told by its exit
    const complaints: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      complaints.push(line);
      if (complaints.length > 5) complaints.shift();
      if (line.endsWith('…')) say(line);
    });
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', (line) => {
        this.announced = announcement.parse(JSON.parse(line));
        resolve();
      });
      child.once('error', reject);
      this.ended = new Promise((settled) => {
        child.once('close', (code, signal) => {
          this.announced = undefined;
          settled();
          const why = complaints.join('\n') || `it ended with ${code ?? signal}. Its log: ${logFile}`;
          reject(new Error(`The Kafka broker did not start: ${why}`));
        });
      });
    });
  }

  private async watch(): Promise<void> {
    const { say, onChange, restart } = this.options;
    const { signal } = this.stopping;
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 10_000)) {
      await this.ended;
      if (signal.aborted) return;
      onChange();
      say(`The Kafka broker ended. ${restart ? `Starting it again in ${pauseMs} ms.` : 'It stays dead.'}`);
      if (!restart) return;
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.run();
        onChange();
        pauseMs = 100;
      } catch (error) {
        if (!signal.aborted) say(error instanceof Error ? error.message : String(error));
      }
    }
  }
}

const portFile = (directory: string) => join(directory, 'port');

/** The one it had, so that others find it again. */
async function portOf(directory: string): Promise<number> {
  const file = portFile(directory);
  const before = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  return before > 0 && (await isFree(before)) ? before : freePort();
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
