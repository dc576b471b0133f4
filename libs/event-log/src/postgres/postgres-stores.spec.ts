import { afterAll, beforeAll, expect, it } from 'vitest';
import { logDatabase } from '../contract/log-under-test.js';
import { readTail } from '../contract/read-tail.js';
import {
  completed,
  item,
  operatorCompleted,
  requested,
  scheduled,
  startedBy,
  waitsForMessage,
} from '../contract/sample-events.js';
import { storesContract } from '../contract/stores.contract.js';
import { newProcessId } from '../process-id.js';
import { PostgresChildStore } from './postgres-child-store.js';
import { PostgresEventLog } from './postgres-event-log.js';
import { PostgresMessageStore } from './postgres-message-store.js';
import { PostgresProcessViews } from './postgres-process-views.js';
import { PostgresRequestStore } from './postgres-request-store.js';
import { PostgresTail } from './postgres-tail.js';

storesContract('PostgreSQL', async () => {
  const { pool, close } = await logDatabase();
  const log = new PostgresEventLog(pool, 'c1');
  return {
    log,
    requests: new PostgresRequestStore(pool, log),
    children: new PostgresChildStore(pool, 'c1'),
    messages: new PostgresMessageStore(pool, 'c1'),
    otherMessages: new PostgresMessageStore(pool, 'c1'),
    ageKey: async (key) => {
      await pool.query(`update idempotency set created_at = now() - interval '8 days' where key = $1`, [key]);
    },
    close,
  };
});

let db: Awaited<ReturnType<typeof logDatabase>>;
let log: PostgresEventLog;
beforeAll(async () => {
  db = await logDatabase();
  log = new PostgresEventLog(db.pool, 'c1');
});
afterAll(() => db.close());

it('lists processes by status, definition and label, in pages that neither repeat nor skip', async () => {
  const views = new PostgresProcessViews(db.pool, 'c1');
  const definition = { name: 'default/listed', version: 1, digest: 'd' };
  const streams = Array.from({ length: 25 }, () => newProcessId('c1'));
  await log.append(
    streams.map((stream, n) => ({
      stream,
      expected: 'none',
      events: [requested({ definition, labels: { team: n % 2 ? 'web' : 'data' } }), scheduled()],
    })),
  );
  await log.append(streams.slice(0, 5).map((stream) => ({ stream, expected: 2, events: [startedBy('x1')] })));
  await log.append([{ stream: streams[0]!, expected: 3, events: [operatorCompleted('a'), completed()] }]);
  const events = await readTail(new PostgresTail(db.pool, 'c1'), null, 25 * 2 + 5 + 2);
  await views.apply(events);
  await views.apply(events.slice(-20));
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await views.list({ definition: 'default/listed', limit: 4, ...(after ? { after } : {}) });
    seen.push(...page.items.map((item) => item.id));
    after = page.next ?? undefined;
  } while (after);
  expect(seen).toHaveLength(25);
  expect(new Set(seen)).toEqual(new Set(streams));
  const running = await views.list({ status: 'running', definition: 'default/listed' });
  expect(running.items.map((item) => item.id).sort()).toEqual(streams.slice(1, 5).sort());
  expect((await views.list({ labels: { team: 'web' } })).items).toHaveLength(12);
  await expect(views.list({ after: 'nonsense' })).rejects.toThrow(/cursor/);
});

it('gives a claimed message out again also when its time ran out before the delivery was finished', async () => {
  const messages = new PostgresMessageStore(db.pool, 'c1');
  const stream = newProcessId('c1');
  await log.append([{ stream, expected: 'none', events: [requested(), scheduled()] }]);
  await log.append([{ stream, expected: 2, events: [startedBy('x1'), waitsForMessage('r', 'late', 'k')] }]);
  await messages.post({ id: 'm', name: 'late', key: 'k', payload: 1, keepMs: 60_000 });
  expect(await messages.match(10)).toHaveLength(1);
  // The matcher dies here, and the message grows old.
  await db.pool.query("update message set keep_until = now() - interval '1 minute' where name = 'late'");
  expect(await messages.removeExpired(10)).toBe(0);
  expect((await messages.match(10)).map((delivery) => delivery.stream)).toEqual([stream]);
});

it('leaves no task behind whose reminder and end come in one append, as after an outage', async () => {
  const streams = Array.from({ length: 20 }, () => newProcessId('c1'));
  const assigned = (taskId: string) =>
    item({
      type: 'TaskAssigned',
      data: { taskId, path: 't', attempt: 1, assign: {}, form: null, needs: 1, dueAt: null },
    });
  for (const stream of streams) {
    await log.append([{ stream, expected: 'none', events: [requested(), scheduled()] }]);
    await log.append([{ stream, expected: 2, events: [startedBy('x1'), assigned(`task-${stream}`)] }]);
  }
  await log.append(
    streams.map((stream) => ({
      stream,
      expected: 4,
      owner: 'x1',
      events: [
        item({ type: 'TaskReminded', data: { taskId: `task-${stream}`, path: 't', kind: 'remind' } }),
        item({ type: 'OperatorCompleted', data: { path: 't', attempt: 1, output: null, held: ['task'] } }),
      ],
    })),
  );
  const { rows } = await db.pool.query(`select id from task where id like 'task-%'`);
  expect(rows).toEqual([]);
});
