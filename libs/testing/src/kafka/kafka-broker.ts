import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const announcement = z.object({
  brokers: z.string(),
  pid: z.number(),
  secure: z.object({ brokers: z.string(), ca: z.string() }).optional(),
});

export interface KafkaBroker {
  /** host:port, as KAFKA_BROKERS takes it. */
  brokers: string;
  /** The broker's own process: to be killed, stopped and continued. */
  pid: number;
  /** Given a user: where TLS and its password are asked for, and the file of the authority to trust. */
  secure?: { brokers: string; ca: string } | undefined;
  stop(): Promise<void>;
}

const script = resolve(import.meta.dirname, '../../../../deploy/kafka/local/broker.mjs');

/** Why no broker can be started here, with the remedy; null: one can. In CI it is taken for granted: its absence fails. */
export function kafkaMissing(): string | null {
  if (process.env['CI']) return null;
  if (spawnSync('java', ['-version']).status !== 0) return 'it needs Java 17: install openjdk-17-jre-headless';
  if (!process.env['BATON_KAFKA_JARS'] && spawnSync('mvn', ['-v']).status !== 0)
    return 'it needs Maven to fetch the broker: install maven';
  return null;
}

/** A real Kafka broker of a test's own. Needs Java 17 and, the first time, Maven. */
export async function kafkaBroker({ user }: { user?: string } = {}): Promise<KafkaBroker> {
  const data = await mkdtemp(join(tmpdir(), 'baton-kafka-'));
  const child = spawn(process.execPath, [script, '--data', data, ...(user === undefined ? [] : ['--user', user])], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const exited = once(child, 'exit');
  const ready = once(createInterface({ input: child.stdout }), 'line');
  const first = await Promise.race([ready, exited.then(() => null)]);
  if (first === null) throw new Error(`The Kafka broker did not start: ${complaint}`);
  const { brokers, pid, secure } = announcement.parse(JSON.parse(String(first[0])));
  return {
    brokers,
    pid,
    secure,
    async stop() {
      child.stdin.end();
      await exited;
      await rm(data, { recursive: true, force: true });
    },
  };
}
