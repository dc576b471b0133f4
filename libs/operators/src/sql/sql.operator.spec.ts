import type { EffectResult, Json } from '@baton/process';
import { type TestDatabase, testDatabase } from '@baton/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EffectContext, NotBegun } from '../operator.port.js';
import { effectContext } from '../shared/effect.fixture.js';
import { CuttingProxy } from './cutting.proxy.fixture.js';
import { runSql } from './sql.operator.js';
import { TargetPools } from './target.pool.js';

let database: TestDatabase;
let admin: pg.Client;
let pools: TargetPools;
let proxy: CuttingProxy;
let proxied: string;

beforeAll(async () => {
  database = await testDatabase();
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  await admin.query(
    'create table work (id bigint generated always as identity, note text unique deferrable initially deferred)',
  );
  pools = new TargetPools();
  const url = new URL(database.url);
  proxy = new CuttingProxy({ host: url.hostname, port: Number(url.port) });
  url.port = String(await proxy.listen());
  url.hostname = '127.0.0.1';
  proxied = url.href;
});
afterAll(async () => {
  proxy.close();
  await pools.end();
  await admin.end();
  await database.drop();
});

let keys = 0;
let key = '';
beforeEach(async () => {
  key = `key-${++keys}`;
  await admin.query('truncate work');
});

const context = (fields: Record<string, Json>, change: Partial<EffectContext> & { url?: string } = {}) =>
  effectContext(
    { connection: 'app', ...fields },
    {
      idempotencyKey: key,
      connection: async () => ({ type: 'postgresql', url: change.url ?? database.url }),
      ...change,
    },
  );
const run = (fields: Record<string, Json>, change: Parameters<typeof context>[1] = {}): Promise<EffectResult> =>
  runSql(context(fields, change), { pools });
const notes = async () =>
  (await admin.query<{ note: string }>('select note from work order by id')).rows.map((row) => row.note);
const insert = { statement: 'insert into work (note) values ($1) returning note', parameters: ['once'] };
const backendOf = async (state: string): Promise<number> => {
  for (;;) {
    const found = await admin.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and application_name = 'baton-sql' and ${state} limit 1`,
    );
    if (found.rows[0]) return found.rows[0].pid;
  }
};

describe('sql: exactly once', () => {
  it('makes its table when it is missing, also when many come at once', async () => {
    await admin.query('drop table if exists baton_exactly_once');
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        run(
          { statement: 'insert into work (note) values ($1)', parameters: [`n${n}`] },
          { idempotencyKey: `race-${n}` },
        ),
      ),
    );
    expect(results.map((result) => result.status)).toEqual(Array(8).fill('completed'));
    expect((await notes()).length).toBe(8);
  });

  it('a second attempt takes the stored result and does nothing', async () => {
    const first = await run(insert);
    expect(first).toEqual({ status: 'completed', output: { rows: [{ note: 'once' }], rowCount: 1 } });
    expect(await run(insert, { attempt: 2 })).toEqual(first);
    expect(await notes()).toEqual(['once']);
  });

  it('ten attempts at once do it once, and all have the same result', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, (_, n) => run(insert, { attempt: n + 1 })));
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
    expect(await notes()).toEqual(['once']);
  });

  it('runs several statements in one transaction: all or nothing', async () => {
    const statements = [
      "insert into work (note) values ('a')",
      { statement: 'insert into work (note) values ($1)', parameters: ['b'] },
    ];
    expect(await run({ statements })).toMatchObject({
      status: 'completed',
      output: [{ rowCount: 1 }, { rowCount: 1 }],
    });
    const failing = await run(
      { statements: ["insert into work (note) values ('c')", 'select 1/0'] },
      { idempotencyKey: 'other' },
    );
    expect(failing).toMatchObject({
      status: 'failed',
      error: { code: 'data', message: expect.stringContaining('Statement 2') },
    });
    expect(await notes()).toEqual(['a', 'b']);
  });

  it('a failed attempt leaves no key: the next one does the work', async () => {
    expect(await run({ statement: 'insert into nowhere values (1)' })).toMatchObject({
      status: 'failed',
      error: { code: 'syntax' },
    });
    expect(await run(insert, { attempt: 2 })).toMatchObject({ status: 'completed' });
  });

  it('waits for a rival that is under way, and takes its result', async () => {
    await run({ statement: 'select 1' }, { idempotencyKey: 'warm' });
    await admin.query('begin');
    await admin.query(
      "insert into baton_exactly_once (key, process, path, attempt, result) values ($1, 'p', 'a', 1, '\"theirs\"')",
      [key],
    );
    const waiting = run(insert, { attempt: 2 });
    await backendOf("wait_event_type = 'Lock'");
    await admin.query('commit');
    expect(await waiting).toEqual({ status: 'completed', output: 'theirs' });
    expect(await notes()).toEqual([]);
  });

  it('a frozen rival ends by itself after a lease, and the next attempt does the work', async () => {
    const frozen = new pg.Client({ connectionString: database.url });
    frozen.on('error', () => undefined);
    await frozen.connect();
    await frozen.query('begin; set local idle_in_transaction_session_timeout = 300');
    await frozen.query("insert into baton_exactly_once (key, process, path, attempt) values ($1, 'p', 'a', 1)", [key]);
    expect(await run(insert, { attempt: 2 })).toMatchObject({ status: 'completed' });
    expect(await notes()).toEqual(['once']);
  });

  it('begin() refuses: nothing is done, and no key is left', async () => {
    const refusing = () => {
      throw new NotBegun('the lease has run out');
    };
    expect(await run(insert, { begin: refusing })).toEqual({ status: 'not-begun', reason: 'the lease has run out' });
    expect((await admin.query('select 1 from baton_exactly_once where key = $1', [key])).rowCount).toBe(0);
  });

  it.each(['commit', ' -- x\n COMMIT', '/* */ rollback', 'end', 'savepoint a', "prepare transaction 'x'"])(
    'refuses %j, which would part the key from the work',
    async (statement) =>
      expect(await run({ statements: ["insert into work (note) values ('x')", statement] })).toMatchObject({
        status: 'failed',
        error: { code: 'transaction' },
      }),
  );

  it('takes one statement only, and none that cannot run in a transaction', async () => {
    expect(await run({ statement: "insert into work (note) values ('x'); commit" })).toMatchObject({
      error: { code: 'syntax', message: expect.stringContaining('statements') },
    });
    expect(await run({ statement: 'vacuum work' })).toMatchObject({
      error: { code: 'transaction', message: expect.stringContaining('exactlyOnce: false') },
    });
    expect(await notes()).toEqual([]);
  });

  it('leaves nothing of one process in the session of the next', async () => {
    await run({ statements: ["set search_path = 'pg_catalog'", "select set_config('my.secret', 'canary', false)"] });
    const next = await run(
      { statement: "select current_setting('my.secret', true) as secret, current_setting('search_path') as path" },
      { idempotencyKey: 'next' },
    );
    expect(next).toMatchObject({ output: { rows: [{ path: '"$user", public' }] } });
    expect(JSON.stringify(next)).not.toContain('canary');
  });
});

describe('sql: every broken connection is told apart', () => {
  it('cut before the key was sent: done by a second try, once', async () => {
    proxy.cutOn('insert into baton_exactly_once', 'before');
    const result = await run(insert, { url: proxied });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'connection' } });
    expect(await run(insert, { url: proxied, attempt: 2 })).toMatchObject({ status: 'completed' });
    expect(await notes()).toEqual(['once']);
  });

  it('cut while the statement ran: known, nothing happened', async () => {
    proxy.cutOn('insert into work', 'after-answer');
    expect(await run(insert, { url: proxied })).toMatchObject({ status: 'failed', error: { code: 'connection' } });
    expect(await notes()).toEqual([]);
  });

  it('the answer to the commit is lost: the key says it is done', async () => {
    proxy.cutOn('commit\0', 'after-answer');
    const cuts = proxy.cuts;
    expect(await run(insert, { url: proxied })).toEqual({
      status: 'completed',
      output: { rows: [{ note: 'once' }], rowCount: 1 },
    });
    expect(proxy.cuts).toBe(cuts + 1);
    expect(await notes()).toEqual(['once']);
  });

  it('the commit itself is lost: the missing key says it is not done', async () => {
    proxy.cutOn('commit\0', 'before');
    expect(await run(insert, { url: proxied })).toMatchObject({
      status: 'failed',
      error: { code: 'connection', message: expect.stringContaining('nothing was committed') },
    });
    expect(await notes()).toEqual([]);
  });

  it('lost at the commit and out of reach afterwards: unknown; the next attempt finds the result', async () => {
    proxy.cutOn('commit\0', 'after-answer');
    proxy.refuseAfterCut();
    const running = context(insert, { url: proxied });
    const result = runSql(running, { pools });
    await proxy.refused();
    running.abort('fenced');
    expect(await result).toMatchObject({ status: 'unknown' });
    proxy.refuse(false);
    expect(await run(insert, { attempt: 2 })).toMatchObject({ status: 'completed', output: { rowCount: 1 } });
    expect(await notes()).toEqual(['once']);
  });

  it('the backend is terminated while the statement runs: known, nothing happened', async () => {
    const result = run({ statements: ["insert into work (note) values ('x')", 'select pg_sleep(30)'] });
    await admin.query('select pg_terminate_backend($1)', [await backendOf("query like '%pg_sleep(30)%'")]);
    expect(await result).toMatchObject({ status: 'failed', error: { code: 'connection' } });
    expect(await notes()).toEqual([]);
  });

  it('the backend is terminated while it commits: the database is asked, nothing was committed', async () => {
    await admin.query(`create function slow_commit() returns trigger language plpgsql as $$ begin perform pg_sleep(34); return null; end $$;
      create constraint trigger slow after insert on work deferrable initially deferred for each row execute function slow_commit()`);
    try {
      const result = run(insert);
      await admin.query('select pg_terminate_backend($1)', [
        await backendOf("query = 'commit' and wait_event = 'PgSleep'"),
      ]);
      expect(await result).toMatchObject({
        status: 'failed',
        error: { code: 'connection', message: expect.stringContaining('nothing was committed') },
      });
    } finally {
      await admin.query('drop function slow_commit cascade');
    }
    expect(await run(insert, { attempt: 2 })).toMatchObject({ status: 'completed' });
    expect(await notes()).toEqual(['once']);
  });

  it('idle connections that died in the pool cost nothing', async () => {
    await Promise.all(
      Array.from({ length: 4 }, (_, n) =>
        run({ statement: 'select 1' }, { idempotencyKey: `${key}-${n}`, url: proxied }),
      ),
    );
    proxy.cutAll();
    expect(await run(insert, { url: proxied })).toMatchObject({ status: 'completed' });
    expect(await notes()).toEqual(['once']);
  });

  it('nobody listens, the password is wrong, the database is missing: known', async () => {
    const with_ = (change: (url: URL) => void) => {
      const url = new URL(database.url);
      change(url);
      return run(insert, { url: url.href });
    };
    expect(
      await with_((url) => {
        url.port = '1';
      }),
    ).toMatchObject({ status: 'failed', error: { code: 'connection' } });
    expect(
      await with_((url) => {
        url.pathname = '/nowhere';
      }),
    ).toMatchObject({ status: 'failed', error: { code: 'connection' } });
    expect(
      await with_((url) => {
        url.username = 'nobody_there';
      }),
    ).toMatchObject({ status: 'failed', error: { code: 'authentication' } });
  });

  it('timed out or cancelled before the commit: known, with its own code', async () => {
    expect(await run({ statement: 'select pg_sleep(30)' }, { timeout: 50 })).toMatchObject({
      status: 'failed',
      error: { code: 'timeout' },
    });
    const running = context({ statements: ["insert into work (note) values ('x')", 'select pg_sleep(31)'] });
    const result = runSql(running, { pools });
    await backendOf("query like '%pg_sleep(31)%'");
    running.abort(new Error('cancelled by ann'));
    expect(await result).toMatchObject({
      status: 'failed',
      error: { code: 'aborted', message: expect.stringContaining('cancelled by ann') },
    });
    expect(await notes()).toEqual([]);
  });
});

describe('sql: what PostgreSQL refuses is known by its name', () => {
  it('constraint, also when it is deferred to the commit', async () => {
    await admin.query("insert into work (note) values ('once')");
    expect(await run(insert)).toMatchObject({
      status: 'failed',
      error: { code: 'unique', details: { sqlState: '23505', constraint: expect.any(String) } },
    });
    expect(await notes()).toEqual(['once']);
  });

  it('deadlock', async () => {
    await admin.query("insert into work (note) values ('a'), ('b')");
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query("set deadlock_timeout = '60s'; begin; update work set note = note where note = 'b'");
    const result = run({
      statements: ["update work set note = note where note = 'a'", "update work set note = note where note = 'b'"],
    });
    await backendOf("wait_event_type = 'Lock'");
    const theirs = other.query("update work set note = note where note = 'a'");
    expect(await result).toMatchObject({ status: 'failed', error: { code: 'deadlock' } });
    await theirs;
    await other.end();
  });

  it.each([
    ['select 1/0', 'data'],
    ['selekt 1', 'syntax'],
    ["do $$ begin raise exception 'no'; end $$", 'raised'],
    ["do $$ begin raise exception 'no' using errcode = '40001'; end $$", 'serialization'],
    ["do $$ begin raise exception 'no' using errcode = '55P03'; end $$", 'lock-timeout'],
    ['do $$ begin commit; end $$', 'transaction'],
  ])('%s: %s', async (statement, code) =>
    expect(await run({ statement })).toMatchObject({ status: 'failed', error: { code } }),
  );

  it('names fields that do not fit, and a connection that is none', async () => {
    expect(await run({})).toMatchObject({ error: { code: 'invalid-fields' } });
    expect(await run({ statement: 'select 1', statements: ['select 1'] })).toMatchObject({
      error: { code: 'invalid-fields' },
    });
    expect(await run(insert, { connection: async () => ({ type: 'mysql', url: 'x' }) })).toMatchObject({
      error: { code: 'connection-type' },
    });
    expect(
      await run(insert, {
        connection: async () => {
          throw new Error('no connection app in production');
        },
      }),
    ).toMatchObject({ error: { code: 'unknown-connection' } });
  });
});

describe('sql: values', () => {
  it('come back as JSON without a lost digit', async () => {
    const result = await run({
      statement: `select 9007199254740991::int8 as safe, 9007199254740993::int8 as big, 1.10::numeric as money, 'NaN'::float8 as nan,
        timestamptz '2026-11-23 21:00:00.123456+02' as at, date '2026-01-02' as day, timestamp '2026-01-02 03:04:05.000006' as local,
        interval '1 day 2 hours' as span, '\\x00ff'::bytea as bytes, '{"a": 9007199254740993}'::jsonb as json, array[1.10, null]::numeric[] as list,
        array[9007199254740993]::int8[] as bigs, true as yes, null as nothing, array['a','b'] as texts, '{}'::int[] as none,
        array['{"a":1}'::jsonb] as jsons`,
    });
    expect(result).toEqual({
      status: 'completed',
      output: {
        rowCount: 1,
        rows: [
          {
            safe: 9007199254740991,
            big: '9007199254740993',
            money: '1.10',
            nan: 'NaN',
            at: '2026-11-23T19:00:00.123456Z',
            day: '2026-01-02',
            local: '2026-01-02 03:04:05.000006',
            span: 'P1DT2H',
            bytes: 'AP8=',
            json: { a: '9007199254740993' },
            list: ['1.10', null],
            bigs: ['9007199254740993'],
            yes: true,
            nothing: null,
            texts: ['a', 'b'],
            none: [],
            jsons: [{ a: 1 }],
          },
        ],
      },
    });
  });

  it('go in as parameters, never as text of the statement', async () => {
    const evil = "'; drop table work; --";
    const result = await run({
      statement:
        'select $1::text as a, $2::jsonb as b, $3::int[] as c, $4::jsonb as d, $5::bool as e, $6::text as f, 2 = any($3::int[]) as g',
      parameters: [evil, { x: [1] }, [1, 2], [{ y: 1 }], true, null],
    });
    expect(result).toMatchObject({
      output: { rows: [{ a: evil, b: { x: [1] }, c: [1, 2], d: [{ y: 1 }], e: true, f: null, g: true }] },
    });
  });

  it('more rows than an output holds are a failure that does nothing', async () => {
    const limits = { maxRows: 10, maxBytes: 1000 };
    const many = await runSql(
      context({ statement: "insert into work (note) select 'n' || n from generate_series(1, 11) n returning note" }),
      { pools, limits },
    );
    expect(many).toMatchObject({
      status: 'failed',
      error: { code: 'too-many-rows', message: expect.stringContaining('11 rows') },
    });
    const wide = await runSql(context({ statement: "select repeat('x', 900) as x from generate_series(1, 3)" }), {
      pools,
      limits,
    });
    expect(wide).toMatchObject({ status: 'failed', error: { code: 'too-many-rows' } });
    expect(await notes()).toEqual([]);
  });
});

describe('sql: exactlyOnce: false', () => {
  it('runs what cannot run in a transaction', async () => {
    expect(await run({ statement: 'vacuum work', exactlyOnce: false })).toMatchObject({ status: 'completed' });
  });

  it('an answered error is known and says what was committed before it', async () => {
    const result = await run({
      statements: ["insert into work (note) values ('a')", 'select 1/0'],
      exactlyOnce: false,
    });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'data', details: { committedBefore: 1 } } });
    expect(await notes()).toEqual(['a']);
  });

  it.each(['before', 'after-answer'] as const)(
    'the connection is cut %s the statement arrives: unknown',
    async (when) => {
      proxy.cutOn('insert into work', when);
      expect(await run({ ...insert, exactlyOnce: false }, { url: proxied })).toMatchObject({ status: 'unknown' });
      expect(await notes()).toEqual(when === 'before' ? [] : ['once']);
    },
  );

  it('the backend is terminated while the statement runs: unknown', async () => {
    const result = run({ statement: 'select pg_sleep(32)', exactlyOnce: false });
    await admin.query('select pg_terminate_backend($1)', [await backendOf("query like '%pg_sleep(32)%'")]);
    expect(await result).toMatchObject({ status: 'unknown' });
  });

  it('a connection that died in the pool is a known failure: nothing was sent', async () => {
    await run({ statement: 'select 1', exactlyOnce: false }, { url: proxied });
    proxy.cutAll();
    expect(['failed', 'completed']).toContain((await run({ ...insert, exactlyOnce: false }, { url: proxied })).status);
  });

  it('begin() refuses before the statement: not begun; aborted while it runs: unknown', async () => {
    const refusing = () => {
      throw new NotBegun('the lease has run out');
    };
    expect(await run({ ...insert, exactlyOnce: false }, { begin: refusing })).toMatchObject({ status: 'not-begun' });
    const running = context({ statement: 'select pg_sleep(33)', exactlyOnce: false });
    const result = runSql(running, { pools });
    await backendOf("query like '%pg_sleep(33)%'");
    running.abort('fenced');
    expect(await result).toMatchObject({ status: 'unknown', reason: expect.stringContaining('fenced') });
    expect(await notes()).toEqual([]);
  });
});
