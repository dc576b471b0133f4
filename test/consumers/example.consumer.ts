import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const folder = resolve(import.meta.dirname, '../../examples/consumers');
const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
const jars = join(process.env['BATON_KAFKA_JARS'] ?? join(cache, 'baton', 'kafka'), 'kafka-4.3.0', '*');

const lineSchema = z.object({
  what: z.enum(['event', 'repetition', 'gap', 'fetched']),
  process: z.string(),
  sequence: z.number().optional(),
  id: z.string().optional(),
  from: z.number().optional(),
  to: z.number().optional(),
});
export type ConsumerLine = z.infer<typeof lineSchema>;

/** One of the examples, as its reader starts it, and what it prints. */
export class ExampleConsumer {
  readonly lines: ConsumerLine[] = [];
  private complaint = '';
  private readonly waiting = new Set<() => void>();

  private constructor(private readonly child: ChildProcess) {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.lines.push(lineSchema.parse(JSON.parse(line)));
      for (const look of this.waiting) look();
    });
    child.stderr!.on('data', (chunk: Buffer) => {
      this.complaint += chunk.toString();
    });
    child.once('exit', () => {
      for (const look of this.waiting) look();
    });
  }

  static typescript(brokers: string, topic: string, rest?: { url: string; token: string }): ExampleConsumer {
    const access = rest ? ['--url', rest.url, '--token', rest.token] : [];
    const options = ['--brokers', brokers, '--topic', topic, '--group', `ts-${topic}`, ...access];
    return new ExampleConsumer(spawn(process.execPath, [join(folder, 'typescript', 'follow.ts'), ...options]));
  }

  static java(brokers: string, topic: string): ExampleConsumer {
    const program = join(folder, 'java', 'FollowProcesses.java');
    return new ExampleConsumer(spawn('java', ['-cp', jars, program, brokers, `java-${topic}`, topic]));
  }

  of(what: ConsumerLine['what']): ConsumerLine[] {
    return this.lines.filter((line) => line.what === what);
  }

  /** Settles when what it printed is so; fails when it ends before. */
  async until(holds: (lines: readonly ConsumerLine[]) => boolean): Promise<void> {
    while (!holds(this.lines)) {
      if (this.child.exitCode !== null) throw new Error(`it ended with ${this.child.exitCode}: ${this.complaint}`);
      await new Promise<void>((wake) => {
        this.waiting.add(wake);
      });
      this.waiting.clear();
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}
