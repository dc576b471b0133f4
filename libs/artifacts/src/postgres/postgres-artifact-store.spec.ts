import { randomUUID } from 'node:crypto';
import { type TestDatabase, testDatabase } from '@baton/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artifactStoreContract, type StoreUnderTest } from '../artifact-store.contract.js';
import { writeChunk } from '../sql/write-chunk.sql.js';
import { migrateArtifacts } from './migrate-artifacts.js';
import { PostgresArtifactStore } from './postgres-artifact-store.js';

let database: TestDatabase;
let pool: pg.Pool;
let under: StoreUnderTest;

beforeAll(async () => {
  database = await testDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  await migrateArtifacts(pool);
  under = {
    store: new PostgresArtifactStore(pool),
    damage: async (digest) => {
      await pool.query(
        `update artifact_chunk set data = set_byte(data, 15, get_byte(data, 15) # 1)
         where content = (select content from artifact where digest = $1) and number = 0`,
        [digest],
      );
    },
    contents: async () => {
      const { rows } = await pool.query<{ count: number }>(
        'select count(distinct content)::int as count from artifact_chunk',
      );
      return rows[0]?.count ?? 0;
    },
    crashDuringPut: async () => {
      const id = randomUUID();
      for (const number of [0, 1, 2]) await pool.query(writeChunk, [id, number, Buffer.alloc(32), Buffer.from('half')]);
    },
  };
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

describe('artifacts in PostgreSQL', () => {
  artifactStoreContract(() => under);

  it('a chunk that is missing is a damage, and so is one that was put in the place of another', async () => {
    const { digest } = await under.store.put(
      (async function* () {
        yield Buffer.alloc(600_000, 1);
        yield Buffer.alloc(10, 2);
      })(),
    );
    const content = '(select content from artifact where digest = $1)';
    await pool.query(`delete from artifact_chunk where content = ${content} and number = 0`, [digest]);
    await pool.query(`update artifact_chunk set number = 0 where content = ${content} and number = 2`, [digest]);
    const read = async () => {
      for await (const piece of await under.store.get(digest)) void piece;
    };
    await expect(read()).rejects.toThrow(/damaged/);
  });

  it('an upload that was collected while it was written is refused, never half visible', async () => {
    async function* slow() {
      yield Buffer.alloc(300_000, 3);
      yield Buffer.alloc(300_000, 4);
      expect(await under.store.collect(-1000)).toBe(1);
    }
    await expect(under.store.put(slow())).rejects.toThrow(/collected/);
    expect(await under.store.collect(-1000)).toBe(0);
  });

  it('migrates again without a change', async () => {
    await migrateArtifacts(pool);
    const client = await pool.connect();
    await migrateArtifacts(client);
    client.release();
  });
});
