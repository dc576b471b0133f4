import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';

it('the demo kills and freezes executors among real releases, and finds every promise held', async () => {
  const main = resolve(import.meta.dirname, '../../dist/apps/demo/main.js');
  const demo = spawn(process.execPath, [main, '--requests', '60'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'exit')]);
  expect({ code: demo.exitCode, err, end: out.slice(-2000) }).toMatchObject({ code: 0, err: '' });
  expect(out).toContain('Every promise held.');
});
