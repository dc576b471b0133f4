import type { HeldRow } from '@baton/process';
import { untilSettled } from '@baton/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appendStatement } from '../append/append-batch.js';
import { Appender } from '../append/appender.js';
import { logDatabase } from '../contract/log-under-test.js';
import { readTail } from '../contract/read-tail.js';
import {
  completed,
  item,
  operatorCompleted,
  operatorStarted,
  requested,
  scheduled,
  startedBy,
  waitsForMessage,
} from '../contract/sample-events.js';
import type { Append } from '../event-log.port.js';
import { CellIds, newProcessId } from '../process-id.js';
import { createLogPool } from './log-pool.js';
import { PostgresEventLog } from './postgres-event-log.js';
import { PostgresRequestStore } from './postgres-request-store.js';
import { PostgresTail } from './postgres-tail.js';
import { withTransaction } from './transaction.js';

let db: Awaited<ReturnType<typeof logDatabase>>;
let log: PostgresEventLog;
beforeAll(async () => {
  db = await logDatabase();
  log = new PostgresEventLog(db.pool, 'c1');
});
afterAll(() => db.close());

async function running(n: number): Promise<string[]> {
  const streams = Array.from({ length: n }, () => newProcessId('c1'));
  await log.append(streams.map((stream) => ({ stream, expected: 'none', events: [requested(), scheduled()] })));
  await log.append(streams.map((stream) => ({ stream, expected: 2, owner: null, events: [startedBy('x1')] })));
  return streams;
}
const boundary = (stream: string, expected: number): Append => ({
  stream,
  expected,
  owner: 'x1',
  events: [operatorCompleted(`o${expected}`), operatorStarted(`o${expected + 1}`, 'x1')],
});

/** The texts of all that this pool is asked from now on. */
function queriesOf(pool: pg.Pool): string[] {
  const seen: string[] = [];
  const watched = new Set<pg.PoolClient>();
  pool.on('acquire', (client) => {
    if (watched.has(client)) return;
    watched.add(client);
    const query = client.query.bind(client);
    Object.assign(client, {
      query: (...given: Parameters<typeof query>) => {
        const [what] = given as unknown[];
        seen.push(typeof what === 'string' ? what : ((what as { text?: string }).text ?? ''));
        return query(...given);
      },
    });
  });
  return seen;
}

it('needs one statement for a batch, and does not scan the head table whole, however small it is', async () => {
  const streams = await running(50);
  for (const events of [[operatorStarted('a', 'x1')], [startedBy('x1')]]) {
    const statement = appendStatement(
      streams.map((stream) => ({ stream, expected: 3, owner: 'x1', events })),
      new CellIds('c1'),
    );
    const client = await db.pool.connect();
    try {
      await client.query('begin');
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${statement.text}`);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toMatch(/Index Scan using process_pkey on process/);
      expect(plan).not.toMatch(/Seq Scan on process/);
    } finally {
      await client.query('rollback');
      client.release();
    }
  }
});

it('changes nothing indexed at a boundary, so that the update stays in its page', async () => {
  await db.pool.query(`select pg_stat_force_next_flush(), pg_stat_reset_single_table_counters('process'::regclass)`);
  const streams = await running(40);
  for (let version = 3; version < 13; version += 2)
    await log.append(streams.map((stream) => boundary(stream, version)));
  const updates = async (): Promise<{ hot: number; all: number }> => {
    const { rows } = await db.pool.query<{ hot: number; all: number }>(
      `select n_tup_hot_upd::int as hot, n_tup_upd::int as all from pg_stat_user_tables where relname = 'process'`,
    );
    return rows[0]!;
  };
  let seen = { hot: 0, all: 0 };
  // The sessions report their counts a little later.
  for (let n = 0; n < 200 && seen.all < 240; n += 1) {
    await Promise.all(Array.from({ length: 12 }, () => db.pool.query('select pg_stat_force_next_flush()')));
    seen = await updates();
  }
  expect(seen.all).toBeGreaterThanOrEqual(240);
  // 200 can stay; a snapshot held by whoever looks meanwhile costs some of them, an indexed column all.
  expect(seen.hot).toBeGreaterThan(100);
});

it('settles appends whose backend was killed: each is in the log exactly once', async () => {
  const pool = createLogPool({ url: db.url, application: 'victim', max: 2, use: 'driver' });
  let doubts = 0;
  const appender = new Appender({
    log: new PostgresEventLog(pool, 'c1'),
    lanes: 2,
    onDoubt: () => {
      doubts += 1;
    },
  });
  const streams = await running(40);
  const killer = new pg.Client({ connectionString: db.url });
  await killer.connect();
  let going = true;
  const versions = new Map<string, number>();
  const killing = (async () => {
    while (going && doubts < 5) {
      await killer.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim' limit 1`,
      );
      await killer.query('select pg_sleep(0.015)');
    }
  })();
  await Promise.all(
    streams.map(async (stream) => {
      let version = 3;
      for (; version < 43 || doubts < 5; version += 2)
        expect(await appender.append(boundary(stream, version))).toMatchObject({ status: 'appended' });
      versions.set(stream, version);
    }),
  );
  going = false;
  await killing;
  await killer.end();
  await pool.end();
  for (const [stream, events] of await log.readMany(streams.map((stream) => ({ stream, after: 0 })))) {
    const version = versions.get(stream)!;
    expect(events.map((event) => event.sequence)).toEqual(Array.from({ length: version }, (_, n) => n + 1));
    expect(new Set(events.map((event) => event.id)).size).toBe(version);
  }
});

it('takes a commit with a warning for in doubt: a cancelled wait for a replica answers COMMIT as well', async () => {
  const warned = await logDatabase();
  try {
    await warned.pool.query(`create function warn() returns trigger language plpgsql as
      $$ begin raise warning 'canceling wait for synchronous replication'; return null; end $$`);
    await warned.pool.query(
      `create constraint trigger warn after insert on event deferrable initially deferred for each row
        when (new.type = 'OperatorStarted') execute function warn()`,
    );
    const own = new PostgresEventLog(warned.pool, 'c1');
    const stream = newProcessId('c1');
    const create: Append = { stream, expected: 'none', events: [requested(), scheduled()] };
    expect((await own.appendEach([create]))[0]!.status).toBe('appended');
    const start: Append = { stream, expected: 2, events: [operatorStarted('a', 'x1')] };
    expect((await own.appendEach([start]))[0]!.status).toBe('in-doubt');
    // Settled by the version, as any other doubt.
    expect((await own.appendEach([start]))[0]!.status).toBe('refused');
    expect(await own.read(stream, 2)).toHaveLength(1);
  } finally {
    await warned.close();
  }
});

it('commits a barrier before it reads what became of a doubtful append: a look alone sees what one machine has', async () => {
  const victim = createLogPool({ url: db.url, application: 'doubtful', max: 1, use: 'driver' });
  try {
    const own = new PostgresEventLog(victim, 'c1');
    const [stream] = await running(1);
    const wal = async (): Promise<number> => {
      const { rows } = await db.pool.query<{ n: string }>(
        `select count(*)::text as n from pg_stat_activity where application_name = 'doubtful' and query like '%barrier%'`,
      );
      return Number(rows[0]!.n);
    };
    await own.read(stream!);
    expect(await wal()).toBe(0);
    const blocker = new pg.Client({ connectionString: db.url });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('select from process where id = $1 for update', [new CellIds('c1').uuid(stream!)]);
    const cut = own.appendEach([boundary(stream!, 3)]);
    for (let found = 0; found === 0; ) {
      const { rowCount } = await blocker.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'doubtful' and wait_event_type = 'Lock'`,
      );
      found = rowCount ?? 0;
    }
    expect((await cut)[0]!.status).toBe('in-doubt');
    await blocker.query('rollback');
    await blocker.end();
    const seen = queriesOf(victim);
    await own.heads([stream!]);
    await own.read(stream!, 3);
    const barriers = seen.filter((text) => text.includes('barrier'));
    expect(barriers).toHaveLength(1);
    expect(seen[0]).toContain('barrier');
  } finally {
    await victim.end();
  }
});

it('appends in a transaction that has written nothing before, and keeps a key in that of its process (rule 2)', async () => {
  const pool = createLogPool({ url: db.url, application: 'creator', max: 1, use: 'driver' });
  const own = new PostgresEventLog(pool, 'c1');
  await own.heads([newProcessId('c1')]);
  const seen = queriesOf(pool);
  const stream = newProcessId('c1');
  const key = { principal: 'anna', key: 'rule 2', bodyDigest: 'same' };
  const store = new PostgresRequestStore(pool, own);
  expect(await store.createOnce({ stream, events: [requested()], answer: { id: stream }, key })).toMatchObject({
    status: 'created',
  });
  await own.append([{ stream, expected: 1, events: [scheduled()] }]);
  // One statement each, and none before that would have begun a transaction.
  expect(seen.map((text) => /^\s*(\w+)/.exec(text)?.[1])).toEqual(['with', 'with']);
  const { rows } = await db.pool.query<{ event: string; key: string }>(
    `select e.transaction_id::text as event, i.xmin::text as key
      from event e, idempotency i where e.stream_id = $1 and e.sequence = 1 and i.key = 'rule 2'`,
    [own.ids.mustUuid(stream)],
  );
  expect(rows).toHaveLength(1);
  expect(rows[0]!.key).toBe(rows[0]!.event);
  await pool.end();
});

it('holds the tail back at an open writer, says who it is, and goes on when it is over', async () => {
  const tail = new PostgresTail(db.pool, 'c1');
  await untilSettled(db.pool);
  const end = await tail.end();
  const writer = new pg.Client({ connectionString: db.url, application_name: 'slow writer' });
  await writer.connect();
  await writer.query('begin');
  await writer.query(`insert into slot_key (key) values ('slow')`);
  const [stream] = await running(1);
  const during = await tail.read(end, 100);
  expect(during.events).toEqual([]);
  expect(await tail.horizon()).toContainEqual(
    expect.objectContaining({ application: 'slow writer', state: 'idle in transaction' }),
  );
  await writer.query('rollback');
  await writer.end();
  const after = await readTail(tail, end, 3);
  expect(after.map((event) => `${event.stream} ${event.sequence}`)).toEqual([1, 2, 3].map((n) => `${stream} ${n}`));
});

it('refuses a COMMIT that was a ROLLBACK, and a transaction within a transaction', async () => {
  await expect(
    withTransaction(db.pool, async (client) => {
      await client.query('select 1 / 0').catch(() => undefined);
    }),
  ).rejects.toThrow(/ROLLBACK/);
  await expect(withTransaction(db.pool, () => withTransaction(db.pool, async () => undefined))).rejects.toThrow(/nest/);
});

it('stores a parked process in few bytes', async () => {
  const before = await size();
  const n = 2_000;
  for (let k = 0; k < n; k += 500) {
    const streams = await running(500);
    await log.append(
      streams.map((stream) => ({
        stream,
        expected: 3,
        owner: 'x1',
        events: [
          {
            id: requested().id,
            metadata: {},
            event: {
              type: 'OperatorStarted',
              data: {
                path: 'wait',
                type: 'delay',
                class: 'waiting',
                attempt: 1,
                executor: 'x1',
                waitsFor: { kind: 'timer', dueAt: '2031-01-01T00:00:00.000Z' },
              },
            },
          },
          {
            id: requested().id,
            metadata: {},
            event: { type: 'ProcessParked', data: { waitsFor: ['wait'], dueAt: '2031-01-01T00:00:00.000Z' } },
          },
        ],
      })),
    );
  }
  await db.pool.query('vacuum');
  const bytes = ((await size()) - before) / n;
  expect(bytes).toBeLessThan(1_800);
});
async function size(): Promise<number> {
  const { rows } = await db.pool.query<{ bytes: string }>(
    `select sum(pg_total_relation_size(oid))::text as bytes from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
  );
  return Number(rows[0]!.bytes);
}

it('clears what an ended process waited for, and nothing of those that go on or were refused in the same batch', async () => {
  const [ends, refused, goesOn] = await running(3);
  const queued = newProcessId('c1');
  await log.append([{ stream: queued, expected: 'none', events: [requested()] }]);
  const waits = [ends!, refused!, goesOn!].map((stream) => ({
    stream,
    expected: 3,
    owner: 'x1',
    events: [waitsForMessage('w', 'news', stream)],
  }));
  await log.append(waits);
  const batch: Append[] = [
    { stream: ends!, expected: 4, owner: 'x1', events: [completed()] },
    { stream: refused!, expected: 4, owner: 'x2', events: [completed()] },
    { ...boundary(goesOn!, 4) },
    { stream: queued, expected: 1, owner: null, events: [scheduled()] },
  ];
  expect(appendStatement(batch, new CellIds('c1')).name).toBe('append_ended');
  const results = await log.append(batch);
  expect(results.map(({ status }) => status)).toEqual(['appended', 'refused', 'appended', 'appended']);
  const ids = batch.map(({ stream }) => stream.slice(3));
  const { rows } = await db.pool.query<{ id: string }>(
    'select stream_id as id from receiver where stream_id = any($1)',
    [ids],
  );
  expect(new Set(rows.map(({ id }) => id))).toEqual(new Set([ids[1], ids[2]]));
  expect(rows).toHaveLength(2);
  expect((await db.pool.query('select 1 from queue where stream_id = any($1)', [ids])).rowCount).toBe(0);
});

it('takes away what a wait leaves behind, by its path or with all of its process, and nothing else', async () => {
  const [one, other] = await running(2);
  const paths = Array.from({ length: 40 }, (_, n) => `w${n}`);
  const opened = (path: string) => [
    waitsForMessage(path, 'news', path),
    item({
      type: 'TaskAssigned',
      data: { path, attempt: 1, taskId: `t-${path}`, assign: null, form: null, needs: 1, dueAt: null },
    }),
  ];
  await log.append(
    [one!, other!].map((stream) => ({ stream, expected: 3, owner: 'x1', events: paths.flatMap(opened) })),
  );
  const gone = (held: HeldRow[], path: string) => item({ type: 'OperatorCompleted', data: { path, attempt: 1, held } });
  // A row beside makes it the general form.
  const events = [gone(['receiver'], 'w1'), gone(['task'], 'w2'), gone(['receiver', 'task'], 'w3'), ...opened('w40')];
  await log.append([{ stream: one!, expected: 83, owner: 'x1', events }]);
  const left = async (table: string, stream: string) =>
    (
      await db.pool.query<{ path: string }>(`select path from ${table} where stream_id = $1 order by path`, [
        stream.slice(3),
      ])
    ).rows.map(({ path }) => path);
  const without = (...taken: string[]) => [...paths, 'w40'].filter((path) => !taken.includes(path)).sort();
  expect(await left('receiver', one!)).toEqual(without('w1', 'w3'));
  expect(await left('task', one!)).toEqual(without('w2', 'w3'));
  expect(await left('receiver', other!)).toEqual([...paths].sort());
  expect(await left('task', other!)).toEqual([...paths].sort());
  const version = 83 + events.length;
  await log.append([{ stream: one!, expected: version, owner: 'x1', events: [completed()] }]);
  expect([await left('receiver', one!), await left('task', one!)]).toEqual([[], []]);
  expect(await left('receiver', other!)).toHaveLength(40);
});
