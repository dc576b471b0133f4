import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { kafkaMissing } from '@baton/testing';
import { expect, it } from 'vitest';

const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: the demo over a real Kafka broker; ${missing}`);

async function demo(...options: string[]): Promise<string> {
  const main = resolve(import.meta.dirname, '../../dist/apps/demo/main.js');
  const child = spawn(process.execPath, [main, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  expect({ code: child.exitCode, err, end: out.slice(-2000) }).toMatchObject({ code: 0, err: '' });
  expect(out).toContain('Every promise held.');
  return out;
}

it('the demo kills and freezes executors among real releases, and finds every promise held', async () => {
  await demo('--requests', '60');
});

it.runIf(missing === null)(
  'the same with all services exchanging their events over a Kafka broker, from which a subscriber gets every event of the log in order',
  async () => {
    const out = await demo('--kafka', '--requests', '60');
    expect(out).toMatch(/events received over Kafka\s+[1-9]\d{2}/);
    expect(out).toMatch(/events missing or out of order over Kafka\s+0 \/ 0/);
  },
  300_000,
);
