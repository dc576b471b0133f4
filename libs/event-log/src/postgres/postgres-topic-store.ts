import type { Json, JsonObject } from '@baton/process';
import type { Pool, PoolClient } from 'pg';
import { codeOf } from '../append/isolate.js';
import { CellIds } from '../process-id.js';
import { claimRecord } from '../sql/claim-record.sql.js';
import { takeRecords } from '../sql/take-records.sql.js';
import { topicChanges } from '../sql/topic-changes.sql.js';
import type { KeptRecord, RecordDelivery, TopicReceiver, TopicStore, WatchedTopic } from '../topic.port.js';
import { withTransaction } from './transaction.js';

/**
 * Invariants: 1. a record is taken in once, and its partition's position moves in the same commit; 2. the numbers of a
 * topic's records become visible in their order; 3. a record is claimed for one receiver, a receiver for one record;
 * 4. what is claimed and not delivered is given out again, for the same receiver.
 */
export class PostgresTopicStore implements TopicStore {
  private readonly ids: CellIds;
  constructor(
    private readonly pool: Pool,
    cell: string,
  ) {
    this.ids = new CellIds(cell);
  }

  async watch(topics: readonly { topic: string; keepMs: number | null }[]): Promise<void> {
    for (const { topic, keepMs } of topics)
      await this.pool.query(
        `insert into watched_topic as w (topic, keep_ms) values ($1, $2) on conflict (topic) do update
          set keep_ms = case when w.keep_ms is null or excluded.keep_ms is null then null
            else greatest(w.keep_ms, excluded.keep_ms) end`,
        [topic, keepMs],
      );
  }

  async watched(): Promise<WatchedTopic[]> {
    const { rows } = await this.pool.query<{ topic: string; keep_ms: string | null; watched_at: Date }>(
      `select topic, keep_ms, watched_at from watched_topic
        union all select topic, null, min(opened_at) from receiver r
          where topic is not null and not exists (select from watched_topic w where w.topic = r.topic) group by topic
        order by topic`,
    );
    return rows.map(({ topic, keep_ms, watched_at }) => ({
      topic,
      keepMs: keep_ms === null ? null : Number(keep_ms),
      watchedAt: watched_at.toISOString(),
    }));
  }

  async positions(topic: string): Promise<Map<number, bigint>> {
    const { rows } = await this.pool.query<{ partition: number; next_offset: string }>(
      'select partition, next_offset from topic_position where topic = $1',
      [topic],
    );
    return new Map(rows.map(({ partition, next_offset }) => [partition, BigInt(next_offset)]));
  }

  async begin(
    topic: string,
    partitions: readonly { partition: number; offset: bigint; again?: boolean }[],
  ): Promise<void> {
    for (const { partition, offset, again = false } of partitions)
      await this.pool.query(
        `insert into topic_position (topic, partition, next_offset) values ($1, $2, $3)
          on conflict (topic, partition) do update set next_offset = excluded.next_offset, moved_at = now() where $4`,
        [topic, partition, offset, again],
      );
  }

  take(
    { topic, partition, last }: { topic: string; partition: number; last: bigint },
    records: readonly { id: string; offset: bigint; key: string | null; record: JsonObject }[],
    keepMs: number,
  ): Promise<number> {
    return withTransaction(this.pool, async (client) => {
      await lockTopic(client, topic);
      const { rows } = await client.query<{ taken: number }>(takeRecords, [
        topic,
        partition,
        last + 1n,
        records.map(({ id }) => id),
        records.map(({ offset }) => offset),
        records.map(({ key }) => key),
        records.map(({ record }) => JSON.stringify(record)),
        keepMs,
      ]);
      return rows[0]?.taken ?? 0;
    });
  }

  async changes(): Promise<{ topic: string; mark: string }[]> {
    const { rows } = await this.pool.query<{ topic: string; mark: string }>(topicChanges);
    return rows;
  }

  async receivers(topic: string): Promise<TopicReceiver[]> {
    const { rows } = await this.pool.query<ReceiverRow>(
      `select stream_id, path, attempt, key, keep_ms, conditions, opened_at from receiver r where topic = $1
        and not exists (select from topic_record c
          where c.claimed_stream = r.stream_id and c.claimed_path = r.path and c.delivered_at is null)
        order by opened_at, stream_id, path`,
      [topic],
    );
    return rows.map((row) => ({
      topic,
      stream: this.ids.id(row.stream_id),
      path: row.path,
      attempt: row.attempt,
      key: row.key,
      keepMs: row.keep_ms === null ? null : Number(row.keep_ms),
      conditions: row.conditions,
      openedAt: row.opened_at.getTime(),
    }));
  }

  async open(topic: string, behind: bigint, limit: number, key?: string): Promise<KeptRecord[]> {
    const { rows } = await this.pool.query<RecordRow>(
      `select id, number, key, record, received_at from topic_record
        where topic = $1 and number > $2 and delivered_at is null and claimed_stream is null and keep_until > now()
          ${key === undefined ? '' : 'and key = $4'} order by number limit $3`,
      [topic, behind, limit, ...(key === undefined ? [] : [key])],
    );
    return rows.map((row) => ({
      topic,
      id: row.id,
      number: BigInt(row.number),
      key: row.key,
      record: row.record,
      receivedAt: row.received_at.getTime(),
    }));
  }

  async claim(
    { topic, id }: Pick<KeptRecord, 'topic' | 'id'>,
    { stream, path }: Pick<TopicReceiver, 'stream' | 'path'>,
  ): Promise<boolean> {
    try {
      const { rowCount } = await this.pool.query(claimRecord, [topic, id, this.ids.mustUuid(stream), path]);
      return rowCount === 1;
    } catch (error) {
      // 23505: another record was claimed for this receiver a moment ago.
      if (codeOf(error) === '23505') return false;
      throw error;
    }
  }

  async claimed(limit: number): Promise<RecordDelivery[]> {
    const { rows } = await this.pool.query<{
      topic: string;
      id: string;
      record: JsonObject;
      claimed_stream: string;
      claimed_path: string;
    }>(
      `select topic, id, record, claimed_stream, claimed_path from topic_record
        where claimed_stream is not null and delivered_at is null order by number limit $1`,
      [limit],
    );
    return rows.map(({ topic, id, record, claimed_stream, claimed_path }) => ({
      topic,
      id,
      record,
      stream: this.ids.id(claimed_stream),
      path: claimed_path,
    }));
  }

  async delivered({ topic, id }: RecordDelivery): Promise<void> {
    await this.pool.query(
      'update topic_record set delivered_at = now() where topic = $1 and id = $2 and delivered_at is null',
      [topic, id],
    );
  }

  async giveBack({ topic, id, stream, path }: RecordDelivery): Promise<void> {
    await withTransaction(this.pool, async (client) => {
      await lockTopic(client, topic);
      await client.query(
        `update topic_record set claimed_stream = null, claimed_path = null, number = default
          where topic = $1 and id = $2 and delivered_at is null and claimed_stream = $3 and claimed_path = $4`,
        [topic, id, this.ids.mustUuid(stream), path],
      );
    });
  }

  async removeExpired(limit: number): Promise<number> {
    const { rowCount } = await this.pool.query(
      `delete from topic_record where (topic, id) in (
        select topic, id from topic_record
        where keep_until <= now() and (delivered_at is not null or claimed_stream is null) limit $1)`,
      [limit],
    );
    return rowCount ?? 0;
  }
}

interface ReceiverRow {
  stream_id: string;
  path: string;
  attempt: number;
  key: string | null;
  keep_ms: string | null;
  conditions: Json;
  opened_at: Date;
}
interface RecordRow {
  id: string;
  number: string;
  key: string | null;
  record: JsonObject;
  received_at: Date;
}

/** Numbers are given and committed in one order. */
async function lockTopic(client: Pick<PoolClient, 'query'>, topic: string): Promise<void> {
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, 2))', [topic]);
}
