import { AsyncLocalStorage } from 'node:async_hooks';
import { withTransaction } from '@baton/event-log';
import {
  AlreadyHandled,
  type DeadLetter,
  type DeadLetters,
  type Inbox,
  type LogClient,
  type LogPool,
} from '../bus.ports.js';

import type { BusEvent } from '../bus-event.js';
import { nextReplay, noteReplay, removeReplayed } from '../operations/bus-operations.sql.js';

const insert = 'insert into bus_inbox (subscriber, event_id) values ($1, $2) on conflict do nothing';

/** What each subscriber has handled, beside the log in the same database, so that it commits with what a handler writes. */
export class PostgresInbox implements Inbox {
  constructor(private readonly pool: LogPool) {}

  async has(subscriber: string, eventId: string): Promise<boolean> {
    const { rows } = await this.pool.query('select from bus_inbox where subscriber = $1 and event_id = $2', [
      subscriber,
      eventId,
    ]);
    return rows.length > 0;
  }

  async record(subscriber: string, eventId: string): Promise<void> {
    await this.pool.query(insert, [subscriber, eventId]);
  }

  async forget(subscriber: string, eventId: string): Promise<void> {
    await this.pool.query('delete from bus_inbox where subscriber = $1 and event_id = $2', [subscriber, eventId]);
  }

  transaction<T>(subscriber: string, eventId: string, work: (client: LogClient) => Promise<T>): Promise<T> {
    return withTransaction(this.pool, async (client) => {
      const result = await work(client);
      // Last: an append within must find its transaction without an id (design 2, rule 2).
      const { rowCount } = await client.query(insert, [subscriber, eventId]);
      if (rowCount === 0) throw new AlreadyHandled(`${subscriber} has handled ${eventId} before`);
      return result;
    });
  }

  /** Rows that no repetition can ask for any more. */
  async removeOlderThan(days: number, limit: number): Promise<number> {
    const { rowCount } = await this.pool.query(
      `delete from bus_inbox where (subscriber, event_id) in (
        select subscriber, event_id from bus_inbox where handled_at < now() - $1 * interval '1 day' limit $2)`,
      [days, limit],
    );
    return rowCount ?? 0;
  }
}

export class PostgresDeadLetters implements DeadLetters {
  constructor(private readonly pool: LogPool) {}

  async put({ subscriber, event, origin, reason, attempts }: DeadLetter): Promise<void> {
    await this.pool.query(
      `insert into bus_dead_letter (subscriber, event_id, type, subject, event, origin, reason, attempts)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (subscriber, event_id) do update
          set reason = excluded.reason, attempts = excluded.attempts, failed_at = now(), replayed_at = null`,
      [
        subscriber,
        event.id,
        event.type,
        event.subject,
        JSON.stringify(event),
        JSON.stringify(origin),
        reason,
        attempts,
      ],
    );
  }

  async replay(subscriber: string, deliver: (event: BusEvent) => Promise<string | null>): Promise<number> {
    // A handler has transactions of its own: it works outside the one that holds the row.
    const outside = AsyncLocalStorage.snapshot();
    for (let count = 0; ; count += 1) {
      const found = await withTransaction(this.pool, async (client) => {
        const { rows } = await client.query<{ id: string; event: BusEvent }>(nextReplay, [subscriber]);
        const row = rows[0];
        if (row) await client.query(noteReplay, [row.id, await outside(deliver, row.event)]);
        return row !== undefined;
      });
      if (!found) return count;
    }
  }

  /** Those that were handled after all, so long ago. What still waits for somebody stays. */
  async removeReplayed(days: number, limit: number): Promise<number> {
    const { rowCount } = await this.pool.query(removeReplayed, [days, limit]);
    return rowCount ?? 0;
  }
}
