import { type EffectContext, NotBegun, type OperatorType } from '@baton/operators';
import type { EffectResult, EffectToBegin, Json } from '@baton/process';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ManualClock } from '../clock/manual.clock.fixture.js';
import { EffectRunner } from './effect.runner.js';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
let clock: ManualClock;
let stored: string[];
let told: object[];
beforeEach(() => {
  clock = new ManualClock();
  stored = [];
  told = [];
});

function run(
  act: (context: EffectContext) => Promise<EffectResult>,
  effect: Partial<EffectToBegin> = {},
  options: { abort?: AbortController; guard?: () => string | null } = {},
) {
  const type: OperatorType = {
    descriptor: { type: 't', class: 'effect', summary: '', fields: z.object({}), secretFields: [] },
    run: act,
  };
  const runner = new EffectRunner(
    {
      clock,
      operators: { get: (name) => (name === 't' ? type : undefined) },
      secrets: {
        secret: async (_, name) => `value of ${name}`,
        connection: async () => ({ type: 'postgresql', url: 'postgres://u:pass-word@h/d' }),
        seal: (plain) => Buffer.from(plain).toString('base64'),
        open: (sealed) => Buffer.from(sealed, 'base64').toString(),
      },
      artifacts: {
        put: async (content) => {
          stored.push(Buffer.from(content).toString());
          return { digest: 'sha256:x', size: content.length };
        },
      },
      output: () => undefined,
      logger: { ...quiet, error: (fields) => told.push(fields) },
      meter: { count: () => undefined, record: () => undefined },
    },
    { leaseMs: 3000 },
  );
  const begin: EffectToBegin = {
    path: 'a',
    attempt: 1,
    type: 't',
    idempotencyKey: 'k',
    fields: {},
    sensitive: [],
    lateBeginIsHarmless: false,
    ...effect,
  };
  const process = { id: 'p', environment: 'e', incarnation: 'x', now: () => clock.wall() };
  return runner.run(begin, process, options.abort ?? new AbortController(), options.guard ?? (() => null));
}
const forever = (signal?: AbortSignal) =>
  new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))));

describe('the runner of effects', () => {
  it('takes a throw before begin() for a known failure, after it for an unknown outcome (R1)', async () => {
    const before = await run(() => Promise.reject(Object.assign(new Error('no name'), { code: 'ENOTFOUND' })));
    expect(before.result).toEqual({ status: 'failed', error: { code: 'ENOTFOUND', message: 'no name' } });
    const after = await run(async (context) => {
      context.begin();
      throw new TypeError('a bug');
    });
    expect(after.result).toMatchObject({ status: 'unknown', reason: expect.stringContaining('a bug') });
  });
  it('begins nothing when the guard says why not, or when it was aborted before (R2)', async () => {
    const act = async (context: EffectContext): Promise<EffectResult> => {
      context.begin();
      return { status: 'completed' };
    };
    const guarded = await run(act, {}, { guard: () => 'the lease has run out' });
    expect(guarded.result).toEqual({ status: 'not-begun', reason: 'the lease has run out' });
    const abort = new AbortController();
    abort.abort('cancelled');
    const aborted = await run(act, {}, { abort });
    expect(aborted.result).toMatchObject({ status: 'not-begun' });
    expect((await run(() => Promise.reject(new NotBegun('x')))).result).toEqual({ status: 'not-begun', reason: 'x' });
  });
  it('aborts an attempt at its timeout, from begin() on, and does not wait for ever for its answer (R3)', async () => {
    let reason: unknown;
    const outcome = run(
      async (context) => {
        context.begin();
        context.signal.addEventListener('abort', () => {
          reason = context.signal.reason;
        });
        return forever();
      },
      { timeout: 1000 },
    );
    await clock.pass(1000);
    expect(reason).toBe('timeout');
    await clock.pass(5000);
    expect((await outcome).result).toMatchObject({ status: 'unknown', reason: expect.stringContaining('timeout') });
  });
  it('does not wait for ever for the answer to an abort by its driver either, and for none when it has ended (R3)', async () => {
    const abort = new AbortController();
    const begun = Promise.withResolvers<void>();
    const outcome = run(
      (context) => {
        context.begin();
        begun.resolve();
        return forever();
      },
      {},
      { abort },
    );
    await begun.promise;
    abort.abort('cancelled');
    abort.abort('once more');
    await clock.pass(5000);
    expect((await outcome).result).toMatchObject({ status: 'unknown', reason: expect.stringContaining('(cancelled)') });
    const over = new AbortController();
    expect((await run(async () => ({ status: 'completed' }), {}, { abort: over })).result.status).toBe('completed');
    over.abort('too late');
  });
  it('gives secrets to the operator, and shows none of them in what it reports (R4)', async () => {
    let seen: Json | undefined;
    const outcome = await run(
      async (context) => {
        seen = context.fields;
        const { url } = await context.connection('db');
        return { status: 'failed', error: { code: 'x', message: `${context.fields['token']} at ${url}` } };
      },
      { fields: { token: { $secret: { parts: ['Bearer ', { name: 'api' }] } } } },
    );
    expect(seen).toEqual({ token: 'Bearer value of api' });
    expect(JSON.stringify(outcome.result)).not.toMatch(/value of api|pass-word/);
  });
  it('logs a throw with process and attempt, and no secret (R4)', async () => {
    await run(
      async (context) => {
        context.begin();
        throw new Error(`refused: ${context.fields['token']}`);
      },
      { fields: { token: { $secret: { parts: [{ name: 'api' }] } } } },
    );
    expect(told).toMatchObject([{ process: 'p', path: 'a', attempt: 1, executor: 'x' }]);
    expect(JSON.stringify(told)).toContain('refused: ');
    expect(JSON.stringify(told)).not.toContain('value of api');
  });
  it('seals what is sensitive, and what is sealed can be used again (R4)', async () => {
    const { result } = await run(async () => ({ status: 'completed', output: { token: 'a', rest: 'b' } }), {
      sensitive: ['token'],
    });
    expect(result).toEqual({
      status: 'completed',
      output: { token: { $secret: { sealed: Buffer.from('"a"').toString('base64') } }, rest: 'b' },
    });
    let seen: Json | undefined;
    const field = { $secret: { sealed: Buffer.from('"again"').toString('base64') } };
    await run(
      async (context) => {
        seen = context.fields['f'];
        return { status: 'completed' };
      },
      { fields: { f: field } },
    );
    expect(seen).toBe('again');
  });
  it('puts an output above 256 KiB into the artifact store', async () => {
    const { result } = await run(async () => ({ status: 'completed', output: 'x'.repeat(300_000) }));
    expect(result).toEqual({
      status: 'completed',
      output: { $artifact: { digest: 'sha256:x', size: 300_002, mediaType: 'application/json' } },
    });
    expect(stored[0]?.length).toBe(300_002);
  });
  it('names a type that it does not know', async () => {
    const { result } = await run(async () => ({ status: 'completed' }), { type: 'fax' });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'unknown-operator' } });
  });
});
