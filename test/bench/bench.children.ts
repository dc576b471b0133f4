import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BenchContext } from './bench.context.js';

/** A program beside Baton that tells of itself in lines, and ends when its standard input does. */
class LineProgram {
  readonly #lines: AsyncIterator<string>;
  private constructor(private readonly child: ChildProcess) {
    const { stdout } = child;
    if (!stdout) throw new Error('A program without output tells nothing.');
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  static start(script: string, args: string[]): LineProgram {
    return new LineProgram(spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }));
  }

  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error('The program ended before it said what was waited for.');
    return next.value;
  }

  ask(): Promise<string> {
    this.child.stdin?.write('\n');
    return this.line();
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const over = once(this.child, 'exit');
    this.child.stdin?.end();
    await over;
  }
}

export interface Broker {
  brokers: string;
  stop(): Promise<void>;
}

/** A real Kafka broker of its own, its data beside Baton's. */
export async function startBroker({ options, root }: BenchContext): Promise<Broker> {
  const data = mkdtempSync(join(options.work, 'baton-bench-kafka-'));
  const program = LineProgram.start(join(root, 'deploy', 'kafka', 'local', 'broker.mjs'), ['--data', data]);
  const { brokers } = JSON.parse(await program.line()) as { brokers: string };
  return {
    brokers,
    stop: async () => {
      await program.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

export interface Collector {
  url: string;
  received(): Promise<{ requests: number; bytes: number }>;
  stop(): Promise<void>;
}

/** A collector for traces and metrics that takes everything and keeps nothing. */
export async function startCollector({ root }: BenchContext): Promise<Collector> {
  const program = LineProgram.start(join(root, 'test', 'bench', 'otlp.sink.mjs'), []);
  const port = await program.line();
  return {
    url: `http://127.0.0.1:${port}`,
    received: async () => JSON.parse(await program.ask()) as { requests: number; bytes: number },
    stop: () => program.stop(),
  };
}
