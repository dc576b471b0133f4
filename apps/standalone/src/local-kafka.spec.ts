import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { kafkaMissing } from '@baton/testing';
import { expect, it } from 'vitest';
import { LocalKafka } from './local-kafka.js';

const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: the broker of baton up; ${missing}`);
const script = resolve(import.meta.dirname, '../../../deploy/kafka/local/broker.mjs');

it.runIf(missing === null)(
  'starts a broker that was killed again, at the same port, and keeps that over a restart (1, 2)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'baton-local-kafka-'));
    const changes: (() => void)[] = [];
    const said: string[] = [];
    const start = () =>
      LocalKafka.start({
        ...{ script, directory: join(folder, 'kafka'), logFile: join(folder, 'kafka.log'), restart: true },
        say: (text) => said.push(text),
        onChange: () => changes.shift()?.(),
      });
    const kafka = await start();
    const { brokers, pid = 0 } = kafka;
    const gone = new Promise<void>((done) => changes.push(done));
    const back = new Promise<void>((done) => changes.push(done));
    process.kill(pid, 'SIGKILL');
    await gone;
    expect(kafka.pid).toBeUndefined();
    await back;
    expect(kafka.pid).not.toBe(pid);
    expect(kafka.brokers).toBe(brokers);
    expect(said.join('\n')).toContain('The Kafka broker ended. Starting it again');
    await kafka.stop();
    const again = await start();
    expect(again.brokers).toBe(brokers);
    await again.stop();
    rmSync(folder, { recursive: true, force: true });
  },
  240_000,
);
