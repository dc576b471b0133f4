import { migrateArtifacts, PostgresArtifactStore } from '@baton/artifacts';
import { PostgresDeadLetters, PostgresInbox } from '@baton/bus';
import {
  PostgresClusterEvents,
  PostgresMessageStore,
  PostgresRequestStore,
  PostgresTopicStore,
} from '@baton/event-log';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cell } from '../testing/cell.fixture.js';
import { ExpiryScan } from './expiry.scan.js';

let cell: Cell;
beforeAll(async () => {
  cell = await Cell.open();
  const client = await cell.pool.connect();
  try {
    await migrateArtifacts(client);
  } finally {
    client.release();
  }
});
afterAll(() => cell.close());

it('removes what nobody can ask for any more, and nothing else', async () => {
  const messages = new PostgresMessageStore(cell.pool, 'c1');
  const artifacts = new PostgresArtifactStore(cell.pool);
  await messages.post({ id: 'old', name: 'n', key: 'k', payload: 1, keepMs: -1_000 });
  await messages.post({ id: 'new', name: 'n', key: 'k', payload: 1, keepMs: 60_000 });
  const kept = await artifacts.put(Buffer.from('kept'));
  const collected: number[] = [];
  const scan = new ExpiryScan({
    messages,
    records: new PostgresTopicStore(cell.pool, 'c1'),
    requests: new PostgresRequestStore(cell.pool, cell.log),
    inbox: new PostgresInbox(cell.pool),
    artifacts: {
      collect: async (ms) => {
        collected.push(ms);
        return artifacts.collect(ms);
      },
    },
    deadLetters: new PostgresDeadLetters(cell.pool),
    clusterEvents: new PostgresClusterEvents(cell.pool),
    deadLetterDays: () => 30,
    clusterEventDays: () => 90,
    inboxDays: 14,
  });
  await cell.pool.query(`insert into bus_dead_letter
      (subscriber, event_id, type, subject, event, origin, reason, attempts, replayed_at, replay_requested_at)
    values ('s', gen_random_uuid(), 't', 'handled long ago', '{}', '{}', 'r', 1, now() - interval '31 days', null),
      ('s', gen_random_uuid(), 't', 'handled lately', '{}', '{}', 'r', 1, now() - interval '29 days', null),
      ('s', gen_random_uuid(), 't', 'never handled', '{}', '{}', 'r', 1, null, null),
      ('s', gen_random_uuid(), 't', 'asked for again', '{}', '{}', 'r', 1, now() - interval '31 days', now())`);
  await cell.pool.query(`insert into cluster_event (stream_id, sequence, type, data, log_incarnation, recorded_at)
    select md5(node)::uuid, sequence, type, jsonb_build_object('node', node), 1, now() - days * interval '1 day'
    from (values ('gone', 1, 'ExecutorJoined', 200), ('gone', 2, 'ExecutorLeft', 91),
      ('lost lately', 1, 'ExecutorJoined', 200), ('lost lately', 2, 'ExecutorLost', 89),
      ('lives on', 1, 'ExecutorJoined', 200)) as e (node, sequence, type, days)`);
  await cell.pool.query(`insert into checkpoint (subscriber, log_incarnation, transaction_id, stream_id, sequence)
    values ('spec/cluster', 1, '1', md5('')::uuid, 0)`);
  expect(await scan.run()).toBeUndefined();
  const nodes = async () =>
    (await cell.pool.query<{ node: string }>(`select data->>'node' as node from cluster_event order by 1`)).rows.map(
      ({ node }) => node,
    );
  expect(await nodes(), 'a subscriber has not read them').toHaveLength(5);
  await cell.pool.query(
    `update checkpoint set transaction_id = pg_current_xact_id() where subscriber = 'spec/cluster'`,
  );
  expect(await scan.run()).toBeUndefined();
  expect(await nodes()).toEqual(['lives on', 'lost lately', 'lost lately']);
  const letters = await cell.pool.query<{ subject: string }>('select subject from bus_dead_letter order by 1');
  expect(letters.rows.map(({ subject }) => subject)).toEqual(['asked for again', 'handled lately', 'never handled']);
  expect(collected).toEqual([3_600_000, 3_600_000]);
  expect((await cell.pool.query('select id from message')).rows).toEqual([{ id: 'new' }]);
  expect(await artifacts.find(kept.digest)).not.toBeNull();
});
