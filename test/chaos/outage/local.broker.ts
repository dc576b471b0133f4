import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '@baton/testing';
import { z } from 'zod';

const script = new URL('../../../deploy/kafka/local/broker.mjs', import.meta.url).pathname;
const announcement = z.object({ pid: z.int() });

/** A real broker at one address, which dies, hangs, and comes back with its data or without. */
export class LocalBroker {
  private child: ChildProcess | null = null;
  private pid = 0;
  private readonly folders: string[] = [];

  private constructor(private readonly port: number) {}

  static async start(): Promise<LocalBroker> {
    const broker = new LocalBroker(await freePort());
    await broker.restart({ empty: true });
    return broker;
  }

  get brokers(): string {
    return `127.0.0.1:${this.port}`;
  }

  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    process.kill(this.pid, 'SIGKILL');
    await exited;
  }

  /** `empty`: in a new folder; topics, records and the offsets of all groups are gone. */
  async restart({ empty }: { empty: boolean }): Promise<void> {
    await this.kill();
    if (empty) this.folders.push(await mkdtemp(join(tmpdir(), 'baton-outage-')));
    const arguments_ = [script, '--data', this.folders.at(-1) ?? '', '--port', String(this.port)];
    const child = spawn(process.execPath, arguments_, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child = child;
    const exited = once(child, 'exit').then(() => null);
    const first = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exited]);
    if (first === null) throw new Error('the Kafka broker did not start');
    this.pid = announcement.parse(JSON.parse(String(first[0]))).pid;
  }

  async stop(): Promise<void> {
    await this.kill();
    for (const folder of this.folders) await rm(folder, { recursive: true, force: true });
  }
}
