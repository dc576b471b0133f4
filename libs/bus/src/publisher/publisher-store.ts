import type { TailPosition } from '@baton/event-log';
import { CellIds } from '@baton/event-log';
import type { LogPool } from '../bus.ports.js';
import { loadPublisher, movePublisher, positionSince, publishFrom, startPublisher } from './publisher.sql.js';
import type { TopicMarks } from './topic-marks.js';

export interface Republished {
  reason: string;
  at: string;
  /** Events from this time on were published again; null: all. */
  since: string | null;
}
export interface PublisherState {
  position: TailPosition | null;
  clusterId: string | null;
  marks: TopicMarks;
  republished: Republished | null;
}
export interface PublisherStore {
  load(lane: string): Promise<PublisherState>;
  /** Compare-and-set of the checkpoint, with the marks in the same statement. False: somebody else moved it. */
  move(
    lane: string,
    from: TailPosition | null,
    to: TailPosition,
    known: { clusterId: string | null; marks: TopicMarks },
  ): Promise<boolean>;
  /** Just before the first event recorded at or after a time; null when there is none. */
  positionSince(time: string): Promise<TailPosition | null>;
  /** Sets the checkpoint back to just before the first event of this age (null: of all), and forgets the marks. */
  goBack(lane: string, retentionMs: number | null, known: { clusterId: string; reason: string }): Promise<Republished>;
}

interface PositionRow {
  log_incarnation: number | null;
  transaction_id: string;
  stream_id: string;
  sequence: number;
}

const firstUuid = '00000000-0000-0000-0000-000000000000';

/** Checkpoint and marks of the publisher in the log's database. */
export class PostgresPublisherStore implements PublisherStore {
  readonly #ids: CellIds;
  constructor(
    private readonly pool: LogPool,
    cell: string,
  ) {
    this.#ids = new CellIds(cell);
  }

  async load(lane: string): Promise<PublisherState> {
    const { rows } = await this.pool.query<
      PositionRow & { cluster_id: string | null; marks: TopicMarks | null; republished: Republished | null }
    >(loadPublisher, [lane]);
    const row = rows[0]!;
    const position = row.log_incarnation === null ? null : this.#position(row);
    return { position, clusterId: row.cluster_id, marks: row.marks ?? {}, republished: row.republished };
  }

  async move(
    lane: string,
    from: TailPosition | null,
    to: TailPosition,
    known: { clusterId: string | null; marks: TopicMarks },
  ): Promise<boolean> {
    const values = [lane, known.clusterId, JSON.stringify(known.marks), ...this.#columns(to)];
    const { rowCount } = from
      ? await this.pool.query({
          name: 'move_publisher',
          text: movePublisher,
          values: [...values, ...this.#columns(from)],
        })
      : await this.pool.query(startPublisher, values);
    return rowCount === 1;
  }

  async positionSince(time: string): Promise<TailPosition | null> {
    const { rows } = await this.pool.query<PositionRow>(positionSince, [time]);
    return rows[0] ? this.#position(rows[0]) : null;
  }

  async goBack(
    lane: string,
    retentionMs: number | null,
    known: { clusterId: string; reason: string },
  ): Promise<Republished> {
    const table = lane.endsWith('/cluster') ? 'cluster_event' : 'event';
    const { rows } = await this.pool.query<{ republished: Republished }>(publishFrom(table), [
      lane,
      known.clusterId,
      retentionMs,
      known.reason,
      firstUuid,
    ]);
    return rows[0]!.republished;
  }

  #position(row: PositionRow): TailPosition {
    return {
      logIncarnation: row.log_incarnation ?? 0,
      transactionId: row.transaction_id,
      stream: this.#ids.id(row.stream_id),
      sequence: row.sequence,
    };
  }

  #columns(position: TailPosition): unknown[] {
    const { logIncarnation, transactionId, stream, sequence } = position;
    return [logIncarnation, transactionId, this.#ids.mustUuid(stream), sequence];
  }
}
