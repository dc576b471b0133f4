import type { TailPosition } from '@baton/event-log';
import { CellIds } from '@baton/event-log';
import type { LogPool } from '../bus.ports.js';
import { loadPublisher, movePublisher, publishFrom, startPublisher } from './publisher.sql.js';
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
  /** Sets the checkpoint back to just before the first event of this age (null: of all), and forgets the marks. */
  goBack(lane: string, retentionMs: number | null, known: { clusterId: string; reason: string }): Promise<Republished>;
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
    const { rows } = await this.pool.query<{
      log_incarnation: number | null;
      transaction_id: string;
      stream_id: string;
      sequence: number;
      cluster_id: string | null;
      marks: TopicMarks | null;
      republished: Republished | null;
    }>(loadPublisher, [lane]);
    const row = rows[0]!;
    const position =
      row.log_incarnation === null
        ? null
        : {
            logIncarnation: row.log_incarnation,
            transactionId: row.transaction_id,
            stream: this.#ids.id(row.stream_id),
            sequence: row.sequence,
          };
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

  #columns(position: TailPosition): unknown[] {
    const { logIncarnation, transactionId, stream, sequence } = position;
    return [logIncarnation, transactionId, this.#ids.mustUuid(stream), sequence];
  }
}
