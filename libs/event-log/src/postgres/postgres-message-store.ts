import type { Json } from '@baton/process';
import type { Pool } from 'pg';
import type { Delivery, MessageStore } from '../message.port.js';
import { CellIds } from '../process-id.js';
import { openMessages } from '../sql/open-messages.sql.js';
import { pairMessages } from '../sql/pair-messages.sql.js';
import { withTransaction } from './transaction.js';

/**
 * Invariants: 1. a message is claimed for one receiver at a time, and a receiver for one message; 2. a claim that was
 * not finished is given out again, for the same receiver; 3. messages of one key go to receivers oldest to oldest.
 */
export class PostgresMessageStore implements MessageStore {
  private readonly ids: CellIds;
  constructor(
    private readonly pool: Pool,
    cell: string,
  ) {
    this.ids = new CellIds(cell);
  }

  async post(message: Parameters<MessageStore['post']>[0]): Promise<{ isNew: boolean }> {
    const { rowCount } = await this.pool.query(
      `insert into message (name, key, id, payload, keep_until)
        values ($1, $2, $3, $4, now() + $5::float8 * interval '1 ms') on conflict do nothing`,
      [message.name, message.key, message.id, JSON.stringify(message.payload), message.keepMs],
    );
    return { isNew: rowCount === 1 };
  }

  async match(limit: number): Promise<Delivery[]> {
    const { rows } = await this.pool.query<{ name: string; key: string }>(openMessages, [limit]);
    const deliveries: Delivery[] = [];
    for (const { name, key } of rows) deliveries.push(...(await this.#matchKey(name, key)));
    return deliveries;
  }

  #matchKey(name: string, key: string): Promise<Delivery[]> {
    return withTransaction(this.pool, async (client) => {
      await client.query('select pg_advisory_xact_lock(hashtextextended($1, 1))', [JSON.stringify([name, key])]);
      await client.query(pairMessages, [name, key]);
      const { rows } = await client.query<{
        id: string;
        payload: Json;
        claimed_stream: string;
        claimed_path: string;
      }>(
        `select id, payload, claimed_stream, claimed_path from message
          where name = $1 and key = $2 and claimed_stream is not null and delivered_at is null order by received_at, id`,
        [name, key],
      );
      return rows.map((row) => ({
        id: row.id,
        name,
        key,
        payload: row.payload,
        stream: this.ids.id(row.claimed_stream),
        path: row.claimed_path,
      }));
    });
  }

  async delivered(delivery: Delivery): Promise<void> {
    await this.pool.query(
      'update message set delivered_at = now() where name = $1 and key = $2 and id = $3 and delivered_at is null',
      [delivery.name, delivery.key, delivery.id],
    );
  }

  async giveBack(delivery: Delivery): Promise<void> {
    await this.pool.query(
      `update message set claimed_stream = null, claimed_path = null
        where name = $1 and key = $2 and id = $3 and delivered_at is null
          and claimed_stream = $4 and claimed_path = $5`,
      [delivery.name, delivery.key, delivery.id, this.ids.mustUuid(delivery.stream), delivery.path],
    );
  }

  async removeExpired(limit: number): Promise<number> {
    // Delivered ones stay for a day, so that a repeated post of the same id is known.
    const { rowCount } = await this.pool.query(
      `delete from message where (name, key, id) in (
        select name, key, id from message
        where (delivered_at is null and keep_until <= now() and claimed_stream is null)
          or delivered_at <= now() - interval '1 day' limit $1)`,
      [limit],
    );
    return rowCount ?? 0;
  }
}
