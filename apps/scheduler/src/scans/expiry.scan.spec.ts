import { migrateArtifacts, PostgresArtifactStore } from '@baton/artifacts';
import { PostgresInbox } from '@baton/bus';
import { PostgresMessageStore, PostgresRequestStore, PostgresTopicStore } from '@baton/event-log';
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
    inboxDays: 14,
  });
  expect(await scan.run()).toBeUndefined();
  expect(collected).toEqual([3_600_000]);
  expect((await cell.pool.query('select id from message')).rows).toEqual([{ id: 'new' }]);
  expect(await artifacts.find(kept.digest)).not.toBeNull();
});
