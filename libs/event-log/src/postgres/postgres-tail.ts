import type { RecordedEvent } from '@baton/process';
import pg, { type Pool } from 'pg';
import type { HorizonHolder, StoredEvent, StoredTail, Tail, TailPosition } from '../event-log.port.js';
import { CellIds } from '../process-id.js';
import { commitBarrier } from '../sql/commit-barrier.sql.js';
import { createCheckpoint } from '../sql/create-checkpoint.sql.js';
import { moveCheckpoint } from '../sql/move-checkpoint.sql.js';
import { readHorizon } from '../sql/read-horizon.sql.js';
import { readTail } from '../sql/read-tail.sql.js';
import { readTailStored } from '../sql/read-tail-stored.sql.js';
import { readTailTypes } from '../sql/read-tail-types.sql.js';
import { type EventRow, recordedEvent } from './postgres-event-log.js';

const start: TailPosition = {
  logIncarnation: 0,
  transactionId: '0',
  stream: '',
  sequence: 0,
};
const firstUuid = '00000000-0000-0000-0000-000000000000';
const horizonEveryMs = 1_000;

interface SettledEnd {
  at_incarnation: number;
  at_transaction: string;
}
type FoundRow = EventRow & SettledEnd & { transaction_id: string };
/** Columns in the order of read-tail-stored, as text. */
type StoredRow = [
  stream: string,
  sequence: string,
  id: string,
  type: string,
  schemaVersion: string,
  data: string,
  traceparent: string | null,
  recordedAt: string,
  logIncarnation: string,
  transactionId: string,
];
const asText = { getTypeParser: () => (text: string) => text };
const timeOf: (text: string) => Date = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ);
/** Always at least one row: without an event, the place up to which was looked. */
type TypedRow = FoundRow | (SettledEnd & { stream_id: null });

/**
 * The tail of one cell (design 2, rule 3).
 * Invariants: 1. nothing that is not settled is delivered, so nothing is skipped; 2. per stream the order is the
 * stream's; 3. before the first read, and after each failed one, a barrier commits: what is delivered is then as
 * durable as a commit of this moment.
 */
export class PostgresTail implements Tail, StoredTail {
  private readonly ids: CellIds;
  #needsBarrier = true;
  #horizon = { at: Number.NEGATIVE_INFINITY, ageMs: 0 };
  constructor(
    private readonly pool: Pool,
    cell: string,
    private readonly monotonicMs: () => number = () => performance.now(),
    /** Which events: those of processes, or those of the cluster's servers. */
    private readonly table: 'event' | 'cluster_event' = 'event',
  ) {
    this.ids = new CellIds(cell);
  }

  async read(
    after: TailPosition | null,
    limit: number,
    types?: readonly string[],
  ): Promise<{ events: RecordedEvent[]; position: TailPosition | null; horizonAgeMs: number }> {
    try {
      if (this.#needsBarrier) await this.barrier();
      const from = after ?? start;
      if (types) return { ...(await this.#readTypes(from, limit, types)), horizonAgeMs: await this.#horizonAge() };
      const { rows } = await this.pool.query<EventRow & { transaction_id: string }>({
        name: `read_tail ${this.table}`,
        text: readTail(this.table),
        values: [
          from.logIncarnation,
          from.transactionId,
          from.stream === '' ? firstUuid : this.ids.mustUuid(from.stream),
          from.sequence,
          limit,
        ],
      });
      const last = rows.at(-1);
      const position: TailPosition | null = last
        ? {
            logIncarnation: last.log_incarnation,
            transactionId: last.transaction_id,
            stream: this.ids.id(last.stream_id),
            sequence: last.sequence,
          }
        : after;
      return {
        events: rows.map((row) => recordedEvent(row, this.ids)),
        position,
        horizonAgeMs: await this.#horizonAge(),
      };
    } catch (error) {
      this.#needsBarrier = true;
      throw error;
    }
  }

  /** The rows that nobody asked for stay in the server: most of a busy log, and most of what reading it costs. */
  async #readTypes(
    from: TailPosition,
    limit: number,
    types: readonly string[],
  ): Promise<{ events: RecordedEvent[]; position: TailPosition }> {
    const { rows } = await this.pool.query<TypedRow>({
      name: `read_tail_types ${this.table}`,
      text: readTailTypes(this.table),
      values: [
        from.logIncarnation,
        from.transactionId,
        from.stream === '' ? firstUuid : this.ids.mustUuid(from.stream),
        from.sequence,
        limit,
        types,
      ],
    });
    const found = rows.filter((row): row is FoundRow => row.stream_id !== null);
    const last = found.at(-1);
    const end = rows[0]!;
    return {
      events: found.map((row) => recordedEvent(row, this.ids)),
      position:
        last && found.length >= limit
          ? {
              logIncarnation: last.log_incarnation,
              transactionId: last.transaction_id,
              stream: this.ids.id(last.stream_id),
              sequence: last.sequence,
            }
          : {
              logIncarnation: end.at_incarnation,
              transactionId: end.at_transaction,
              stream: this.ids.id(firstUuid),
              sequence: 0,
            },
    };
  }

  /**
   * For the publisher: data and times as text, rows as arrays. To read and write the JSON of each event again, and the
   * events of one transaction have one time, was a third of what reading the tail cost.
   */
  async readStored(
    after: TailPosition | null,
    limit: number,
  ): Promise<{ events: StoredEvent[]; position: TailPosition | null }> {
    try {
      if (this.#needsBarrier) await this.barrier();
      const from = after ?? start;
      const stream = from.stream === '' ? firstUuid : this.ids.mustUuid(from.stream);
      const { rows } = await this.pool.query<StoredRow>({
        name: `read_tail_stored ${this.table}`,
        text: readTailStored(this.table),
        values: [from.logIncarnation, from.transactionId, stream, from.sequence, limit],
        rowMode: 'array',
        types: asText,
      });
      let timeText = '';
      let time = '';
      const events = rows.map((row): StoredEvent => {
        if (row[7] !== timeText) {
          timeText = row[7];
          time = timeOf(timeText).toISOString();
        }
        const event: StoredEvent = {
          id: row[2],
          type: row[3],
          schemaVersion: Number(row[4]),
          stream: this.ids.id(row[0]),
          sequence: Number(row[1]),
          recordedAt: time,
          logIncarnation: Number(row[8]),
          data: row[5],
        };
        if (row[6] !== null) event.traceparent = row[6];
        return event;
      });
      const last = events.at(-1);
      const transactionId = rows.at(-1)?.[9];
      if (!last || transactionId === undefined) return { events, position: after };
      const { logIncarnation, stream: of, sequence } = last;
      return { events, position: { logIncarnation, transactionId, stream: of, sequence } };
    } catch (error) {
      this.#needsBarrier = true;
      throw error;
    }
  }

  async barrier(): Promise<void> {
    await this.pool.query(commitBarrier);
    this.#needsBarrier = false;
  }

  async horizon(): Promise<HorizonHolder[]> {
    const { rows } = await this.pool.query<{
      pid: number | null;
      database: string | null;
      application: string;
      state: string;
      age_ms: string | number | null;
    }>(readHorizon);
    return rows.map(({ age_ms, ...row }) => ({ ...row, ageMs: Math.max(0, Math.round(Number(age_ms ?? 0))) }));
  }

  async #horizonAge(): Promise<number> {
    const now = this.monotonicMs();
    if (now - this.#horizon.at >= horizonEveryMs) {
      const holders = await this.horizon();
      this.#horizon = { at: now, ageMs: holders[0]?.ageMs ?? 0 };
    }
    return this.#horizon.ageMs;
  }

  async checkpoint(subscriber: string): Promise<TailPosition | null> {
    const { rows } = await this.pool.query<{
      log_incarnation: number;
      transaction_id: string;
      stream_id: string;
      sequence: number;
    }>('select log_incarnation, transaction_id::text, stream_id, sequence from checkpoint where subscriber = $1', [
      subscriber,
    ]);
    const row = rows[0];
    if (!row) return null;
    return {
      logIncarnation: row.log_incarnation,
      transactionId: row.transaction_id,
      stream: this.ids.id(row.stream_id),
      sequence: row.sequence,
    };
  }

  async moveCheckpoint(subscriber: string, from: TailPosition | null, to: TailPosition): Promise<boolean> {
    const target = [to.logIncarnation, to.transactionId, this.ids.mustUuid(to.stream), to.sequence];
    const { rowCount } = from
      ? await this.pool.query(moveCheckpoint, [
          subscriber,
          from.logIncarnation,
          from.transactionId,
          this.ids.mustUuid(from.stream),
          from.sequence,
          ...target,
        ])
      : await this.pool.query(createCheckpoint, [subscriber, ...target]);
    return rowCount === 1;
  }

  /** The end of what is settled: where a new subscriber begins that does not want the past. */
  async end(): Promise<TailPosition | null> {
    const { rows } = await this.pool.query<{ n: number; x: string }>(
      'select (select max(number) from log_incarnation) as n, pg_snapshot_xmin(pg_current_snapshot())::text as x',
    );
    const row = rows[0]!;
    return { logIncarnation: row.n, transactionId: row.x, stream: this.ids.id(firstUuid), sequence: 0 };
  }
}

/** The tail of what happens to the cell's servers: the same rule, the same form, a table of its own. */
export function clusterTail(pool: Pool, cell: string): PostgresTail {
  return new PostgresTail(pool, cell, undefined, 'cluster_event');
}
