import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EffectResult, Json } from '@baton/process';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type EffectContext, NotBegun } from '../operator.port.js';
import { effectContext } from '../shared/effect.fixture.js';
import { parseScriptPermission } from './script.fields.js';
import { runScript } from './script.operator.js';
import { supervisorSource } from './supervisor.source.js';

const directory = mkdtempSync(join(tmpdir(), 'baton-script-spec-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (fields: Record<string, Json>, change: Partial<EffectContext> = {}) =>
  runScript(effectContext(fields, change), { allow: true, killAfterMs: 100 });
const node = (code: string, ...args: string[]): Json => [process.execPath, '-e', code, ...args];
const outputOf = (result: EffectResult): Json => ('output' in result ? (result.output ?? null) : null);
const turn = () => new Promise(setImmediate);
const alive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
const fileText = async (file: string): Promise<string> => {
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') await turn();
  return readFileSync(file, 'utf8');
};

describe('script', () => {
  it('runs an argument vector with stdin, environment and directory, and gives what it wrote', async () => {
    writeFileSync(join(directory, 'here'), 'x');
    const live: string[] = [];
    const result = await run(
      {
        run: ['sh', '-c', 'cat; ls; echo "$ONE $BATON_ATTEMPT $BATON_IDEMPOTENCY_KEY" >&2; exit 3'],
        stdin: { a: 1 },
        environment: { ONE: 1 },
        directory,
      },
      { attempt: 7, output: (channel, chunk) => live.push(`${channel}: ${chunk}`) },
    );
    expect(result).toEqual({
      status: 'completed',
      output: { exitCode: 3, stdout: '{"a":1}here\n', stderr: '1 7 key-1\n' },
    });
    expect(live.join('')).toContain('stderr: 1 7 key-1');
  });

  it('gives every argument byte for byte, and no shell reads it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }), async (values) => {
        const args = [
          ...values.map((value) => value.toWellFormed().replaceAll('\u0000', '')),
          '$(touch hacked)',
          '; rm -rf x',
          '"\'`',
        ];
        const result = await run({
          run: node('console.log(JSON.stringify(process.argv.slice(1)))', '--', ...args),
          parse: 'json',
        });
        expect(result).toMatchObject({ status: 'completed', output: { json: args } });
      }),
      { numRuns: 10 },
    );
  });

  it('has a clean environment: nothing of the executor is seen', async () => {
    process.env['BATON_SECRET_KEY_CANARY'] = 'canary';
    const result = await run({ run: ['env'] });
    delete process.env['BATON_SECRET_KEY_CANARY'];
    expect(result).toMatchObject({ status: 'completed', output: { exitCode: 0 } });
    expect(JSON.stringify(result)).not.toContain('canary');
  });

  it('keeps the last 4 KiB of each stream, in whole characters', async () => {
    const result = await run({
      run: node("process.stdout.write('ü'.repeat(100000) + 'end'); process.stderr.write('x')"),
    });
    const { stdout } = outputOf(result) as { stdout: string };
    expect(Buffer.byteLength(stdout)).toBeLessThanOrEqual(4096);
    expect(stdout).toMatch(/^ü+end$/);
  });

  it('parses the whole output, and says when it is no JSON', async () => {
    const long = await run({ run: node('console.log(JSON.stringify(Array(5000).fill(1)))'), parse: 'json' });
    expect((outputOf(long) as { json: Json[] }).json.length).toBe(5000);
    expect(await run({ run: ['echo', '{no'], parse: 'json' })).toMatchObject({
      status: 'failed',
      error: { code: 'parse' },
      output: { stdout: '{no\n' },
    });
    expect(await run({ run: ['sh', '-c', 'echo "{no"; exit 4'], parse: 'json' })).toMatchObject({
      status: 'completed',
      output: { exitCode: 4 },
    });
  });

  it('escapes what the log cannot hold', async () => {
    expect(await run({ run: ['printf', 'a\\000b\\377'] })).toMatchObject({ output: { stdout: 'a\\u0000b\ufffd' } });
  });

  it('runs in a directory of its own that is removed afterwards', async () => {
    const result = await run({ run: ['sh', '-c', 'pwd; ls -A; echo x > left'] });
    const { stdout } = outputOf(result) as { stdout: string };
    expect(stdout).toMatch(/baton-script-[0-9a-f-]+\n$/);
    while (existsSync(stdout.trim())) await turn();
  });

  it('says which signal ended it', async () => {
    expect(await run({ run: ['sh', '-c', 'kill -9 $$'] })).toMatchObject({
      status: 'completed',
      output: { exitCode: 137, signal: 'SIGKILL' },
    });
  });

  it('does not wait for what a script leaves behind, and ends it', async () => {
    const file = join(directory, 'left');
    const result = await run({ run: ['sh', '-c', `sleep 300 & echo $! > ${file}; echo done`] });
    expect(result).toMatchObject({ status: 'completed', output: { stdout: 'done\n' } });
    const pid = Number(await fileText(file));
    while (alive(pid)) await turn();
  });
});

describe('script: known, unknown and not begun', () => {
  it.each([
    ['a program that is not there', { run: ['no-such-program'] }, 'not-found'],
    ['a directory that is not there', { run: ['true'], directory: '/no/such/directory' }, 'not-found'],
    ['a file that is no program', { run: ['/etc/passwd'] }, 'not-executable'],
    ['no program', { run: [] }, 'invalid-fields'],
    ['a NUL byte', { run: ['echo', 'a\u0000b'] }, 'invalid-fields'],
    ['a name that is none', { run: ['env'], environment: { 'a=b': '1' } }, 'invalid-fields'],
  ])('%s is a known failure', async (_name, fields, code) => {
    expect(await run(fields as Record<string, Json>)).toMatchObject({ status: 'failed', error: { code } });
  });

  it('is off unless allowed, altogether or by program', async () => {
    const off = (allow: string | undefined) =>
      runScript(effectContext({ run: ['true'] }), { allow: parseScriptPermission(allow) });
    expect(await off(undefined)).toMatchObject({
      status: 'failed',
      error: { code: 'not-allowed', message: expect.stringContaining('BATON_ALLOW_SCRIPT') },
    });
    expect(await off('false, ls')).toMatchObject({ error: { code: 'not-allowed' } });
    expect(await off('true')).toMatchObject({ status: 'completed' });
    expect(await off('ls, true')).toMatchObject({ status: 'completed' });
  });

  it('begin() refuses: the program does not start', async () => {
    const file = join(directory, 'never');
    const result = await run(
      { run: ['touch', file] },
      {
        begin: () => {
          throw new NotBegun('the lease has run out');
        },
      },
    );
    expect(result).toEqual({ status: 'not-begun', reason: 'the lease has run out' });
    expect(existsSync(file)).toBe(false);
  });

  it('cut off after it began: TERM, then KILL, and the outcome is unknown', async () => {
    const file = join(directory, 'stubborn');
    const context = effectContext({
      run: ['sh', '-c', `trap 'echo stopping >&2' TERM; echo $$ > ${file}; while :; do sleep 300; done`],
    });
    const result = runScript(context, { allow: true, killAfterMs: 100 });
    const pid = Number(await fileText(file));
    context.abort('timeout');
    expect(await result).toEqual({
      status: 'unknown',
      reason: expect.stringMatching(/time of the attempt was up: ended by SIGKILL/),
    });
    expect(alive(pid)).toBe(false);
  });

  it('aborted before it began: not begun', async () => {
    const context = effectContext({ run: ['true'] });
    context.abort('cancelled');
    expect(await runScript(context, { allow: true })).toMatchObject({ status: 'not-begun' });
    expect(context.begun).toBe(0);
  });

  it('the supervisor is killed: unknown, and the script does not go on', async () => {
    const file = join(directory, 'orphan');
    const result = run({ run: ['sh', '-c', `echo $$ $PPID > ${file}; exec sleep 300`] });
    const [pid, supervisor] = (await fileText(file)).split(' ').map(Number);
    process.kill(supervisor ?? 0, 'SIGKILL');
    expect(await result).toMatchObject({ status: 'unknown', reason: expect.stringContaining('supervisor') });
    while (alive(pid ?? 0)) await turn();
  });
});

describe('the supervisor', () => {
  it('ends the whole process group when the executor is killed by SIGKILL', async () => {
    const file = join(directory, 'group');
    const order = {
      run: ['sh', '-c', `trap '' TERM HUP INT; (trap '' TERM HUP; sleep 300) & echo $$ $! > ${file}; wait`],
      stdin: '',
      environment: { PATH: process.env['PATH'] },
      directory,
    };
    const executor = spawn(
      process.execPath,
      [
        '-e',
        `const s = require('node:child_process').spawn(process.execPath, ['-e', process.env.SOURCE], { detached: true, stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
        s.stdio[3].once('data', () => s.stdio[3].write(process.env.ORDER + '\\n'));`,
      ],
      { env: { SOURCE: supervisorSource, ORDER: JSON.stringify(order) }, stdio: 'ignore' },
    );
    const pids = (await fileText(file)).trim().split(' ').map(Number);
    expect(pids.map(alive)).toEqual([true, true]);
    executor.kill('SIGKILL');
    while (pids.some(alive)) await turn();
  });
});
