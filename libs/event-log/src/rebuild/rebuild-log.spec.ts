import { afterAll, beforeAll, expect, it } from 'vitest';
import { logDatabase } from '../contract/log-under-test.js';
import { readTail } from '../contract/read-tail.js';
import {
  completed,
  item,
  operatorCompleted,
  parked,
  requested,
  scheduled,
  startedBy,
  takenOver,
  waitsForMessage,
} from '../contract/sample-events.js';
import type { EventToAppend } from '../event-log.port.js';
import { PostgresEventLog } from '../postgres/postgres-event-log.js';
import { PostgresProcessViews } from '../postgres/postgres-process-views.js';
import { PostgresTail } from '../postgres/postgres-tail.js';
import { newProcessId } from '../process-id.js';
import { rebuildLog } from './rebuild-log.js';

let db: Awaited<ReturnType<typeof logDatabase>>;
let log: PostgresEventLog;
beforeAll(async () => {
  db = await logDatabase();
  log = new PostgresEventLog(db.pool, 'c1');
});
afterAll(() => db.close());

const tables = ['process', 'queue', 'child', 'task', 'incident', 'receiver', 'job', 'process_view'];
async function derived(): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const table of tables) found[table] = (await db.pool.query(`select * from ${table} t order by t::text`)).rows;
  return found;
}
async function stream(...appends: EventToAppend[][]): Promise<string> {
  const id = newProcessId('c1');
  let version = 0;
  for (const events of appends) {
    const [result] = await log.append([{ stream: id, expected: version === 0 ? 'none' : version, events }]);
    expect(result!.status).toBe('appended');
    version += events.length;
  }
  return id;
}
const task = (taskId: string): EventToAppend =>
  item({
    type: 'TaskAssigned',
    data: { taskId, path: 'ask', attempt: 1, assign: { users: ['eve'] }, form: {}, needs: 1, dueAt: null },
  });
const incident = (incidentId: string): EventToAppend =>
  item({ type: 'IncidentRaised', data: { incidentId, kind: 'unknown', path: 'a', reason: 'r', actions: ['rerun'] } });

it('makes heads, side rows and lists again exactly as the appends wrote them', async () => {
  const parent = await stream([requested({ labels: { team: 'web' } }), scheduled()], [startedBy('x1')], [parked()]);
  await stream([requested({ startAt: '2030-01-01T00:00:00.000Z' })]);
  await stream([requested({ concurrency: { key: 'k', limit: 1, onLimit: 'queue' }, priority: 8 })]);
  await stream([requested(), scheduled()], [startedBy('x1'), task('t1')], [parked('2031-01-01T00:00:00.000Z')]);
  await stream(
    [requested(), scheduled()],
    [startedBy('x1')],
    [task('t2')],
    [item({ type: 'TaskUpdated', data: { taskId: 't2', by: { id: 'eve' }, draft: { a: 1 } } })],
  );
  await stream([requested(), scheduled()], [startedBy('x1')], [waitsForMessage('r', 'paid', '42')]);
  await stream([requested(), scheduled()], [startedBy('x1')], [incident('i1')], [takenOver('x2', 'x1')]);
  await stream([requested(), scheduled()], [startedBy('x1')], [task('t3'), incident('i2')], [completed()]);
  const child = await stream([requested({ parent: { id: parent, path: 'sub', attempt: 1, onParentEnd: 'cancel' } })]);
  await stream([requested(), scheduled()], [startedBy('x1')], [operatorCompleted('a')]);
  const { rows } = await db.pool.query<{ n: number }>('select count(*)::int as n from event');
  const events = await readTail(new PostgresTail(db.pool, 'c1'), null, rows[0]!.n);
  await new PostgresProcessViews(db.pool, 'c1').apply(events);
  const before = await derived();
  expect((before['process_view'] as unknown[]).length).toBe(10);
  expect((before['task'] as unknown[]).length).toBe(2);
  expect((before['child'] as unknown[]).length).toBe(1);

  await db.pool.query('truncate queue, child, task, incident, receiver, job, process_view');
  await db.pool.query(
    `update process set owner = 'nobody', runnable_at = now(), priority = 0, claims = 7, version = version - 1`,
  );
  await db.pool.query('delete from process where id = $1', [child.slice(3)]);
  const result = await rebuildLog(db.pool, 'c1', { batch: 3 });
  expect(result).toMatchObject({ processes: 10, corrected: 10 });
  expect(await derived()).toEqual(before);
  expect((await rebuildLog(db.pool, 'c1')).corrected).toBe(0);
  expect(await derived()).toEqual(before);
});

it('runs beside appends without losing or refusing any of them for long', async () => {
  const streams = await Promise.all(
    Array.from({ length: 20 }, () => stream([requested(), scheduled()], [startedBy('x1')])),
  );
  let rebuilding = true;
  const writers = streams.map(async (id) => {
    let version = 3;
    while (rebuilding || version < 13) {
      const [result] = await log.append([
        { stream: id, expected: version, owner: 'x1', events: [operatorCompleted(`o${version}`)] },
      ]);
      expect(result!.status).toBe('appended');
      version += 1;
    }
    return version;
  });
  await rebuildLog(db.pool, 'c1', { batch: 5 });
  rebuilding = false;
  const versions = await Promise.all(writers);
  const heads = await log.heads(streams);
  streams.forEach((id, at) => {
    expect(heads.get(id)).toMatchObject({ version: versions[at], owner: 'x1' });
  });
});
