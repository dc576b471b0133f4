import { type Pool, types } from 'pg';
import type { TailPosition, TraceEvent, TraceTail } from '../event-log.port.js';
import { CellIds } from '../process-id.js';
import { commitBarrier } from '../sql/commit-barrier.sql.js';
import { readEventPosition } from '../sql/read-event-position.sql.js';
import { readTraceTail } from '../sql/read-trace-tail.sql.js';

/** As the server writes them: stream_id, sequence, type, recorded_at, data, metadata. */
type TextRow = [string, string, string, string, string, string | null];

const asText = { getTypeParser: () => (text: string) => text };
const nothing: TraceEvent['metadata'] = Object.freeze({});

/**
 * The tail of one cell for those who fold every event and need little of each. It costs half of what reading whole rows
 * costs (4.6 instead of 9.9 µs of the reader's CPU an event, 4.0 instead of 5.0 of the server's): six columns instead of
 * ten, taken as text without a row object, and a time that many events share (those of one commit) is read once.
 * Invariants: those of PostgresTail.
 */
export class PostgresTraceTail implements TraceTail {
  readonly #ids: CellIds;
  #needsBarrier = true;

  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    cell: string,
  ) {
    this.#ids = new CellIds(cell);
  }

  async read(after: TailPosition | null, limit: number): ReturnType<TraceTail['read']> {
    try {
      if (this.#needsBarrier) await this.pool.query(commitBarrier);
      this.#needsBarrier = false;
      const { rows } = await this.pool.query<TextRow>({
        name: 'read_trace_tail',
        text: readTraceTail,
        values: [
          after?.logIncarnation ?? 0,
          after?.transactionId ?? '0',
          after === null ? '00000000-0000-0000-0000-000000000000' : this.#ids.mustUuid(after.stream),
          after?.sequence ?? 0,
          limit,
        ],
        rowMode: 'array',
        types: asText,
      });
      const last = rows.at(-1);
      return { events: this.#events(rows), position: last === undefined ? after : await this.#positionOf(last) };
    } catch (error) {
      this.#needsBarrier = true;
      throw error;
    }
  }

  #events(rows: readonly TextRow[]): TraceEvent[] {
    const readTime: (text: string) => Date = types.getTypeParser(types.builtins.TIMESTAMPTZ);
    let time = '';
    let recordedAt = 0;
    return rows.map(([streamId, sequence, type, at, data, metadata]) => {
      if (at !== time) {
        time = at;
        recordedAt = readTime(at).getTime();
      }
      return {
        type,
        stream: this.#ids.id(streamId),
        sequence: Number(sequence),
        recordedAt,
        data: JSON.parse(data) as TraceEvent['data'],
        metadata: metadata === null ? nothing : (JSON.parse(metadata) as TraceEvent['metadata']),
      };
    });
  }

  async #positionOf([streamId, sequence]: TextRow): Promise<TailPosition> {
    const { rows } = await this.pool.query<{ log_incarnation: number; transaction_id: string }>({
      name: 'read_event_position',
      text: readEventPosition,
      values: [streamId, sequence],
    });
    const [row] = rows;
    if (row === undefined) throw new Error(`Event ${sequence} of ${this.#ids.id(streamId)} is no longer in the log.`);
    return {
      logIncarnation: row.log_incarnation,
      transactionId: row.transaction_id,
      stream: this.#ids.id(streamId),
      sequence: Number(sequence),
    };
  }
}
