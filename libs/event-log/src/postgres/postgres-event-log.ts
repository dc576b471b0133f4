import type { EventMetadata, RecordedEvent } from '@baton/process';
import type { Pool } from 'pg';
import { appendStatement } from '../append/append-batch.js';
import { checkAppends, settled } from '../append/check-appends.js';
import { appendIsolating } from '../append/isolate.js';
import type { Append, AppendOutcome, AppendResult, EventLog, EventToFold, Head } from '../event-log.port.js';
import { CellIds } from '../process-id.js';
import { commitBarrier } from '../sql/commit-barrier.sql.js';
import { readEvents } from '../sql/read-events.sql.js';
import { readHeads } from '../sql/read-heads.sql.js';
import { readToFold, readWholeToFold } from '../sql/read-to-fold.sql.js';
import { eventsToFold, type FoldRow } from './fold-row.js';
import { classifyAppendFailure } from './pg-errors.js';
import { sendAlone } from './send-alone.js';

/**
 * The event log over PostgreSQL: one statement, one round trip, READ COMMITTED, autocommit.
 *
 * Invariants:
 * 1. Version and owner are checked by the update that raises the version, in the statement that writes the events.
 * 2. An append's transaction has no transaction id before the append (rule 2): it is a statement of its own, always.
 * 3. All-or-nothing per stream; a refused stream writes no row at all.
 * 4. A commit that PostgreSQL warns about (01000: a cancelled wait for a synchronous replica) is in doubt.
 * 5. After a doubt nothing is read before a barrier has committed: a look alone also sees what is on one machine only.
 */
export class PostgresEventLog implements EventLog {
  readonly ids: CellIds;
  #doubts = 0;
  #settled = 0;
  constructor(
    private readonly pool: Pool,
    cell: string,
  ) {
    this.ids = new CellIds(cell);
  }

  async append(appends: Append[]): Promise<AppendResult[]> {
    return settled(await this.appendEach(appends));
  }

  async appendEach(appends: readonly Append[]): Promise<AppendOutcome[]> {
    if (appends.length === 0) return [];
    checkAppends(appends);
    return appendIsolating(appends, (part) => this.#send(part), classify(this));
  }

  /** A commit of somebody's is in doubt: what is read next must be as durable as a commit (invariant 5). */
  noteDoubt(): void {
    this.#doubts += 1;
  }

  /** Does nothing while nothing is in doubt. */
  async barrier(): Promise<void> {
    const doubts = this.#doubts;
    if (doubts === this.#settled) return;
    await this.pool.query(commitBarrier);
    this.#settled = Math.max(this.#settled, doubts);
  }

  /** Invariant 4 */
  async #send(appends: readonly Append[]): Promise<AppendResult[]> {
    const statement = appendStatement(appends, this.ids);
    const rows = await sendAlone<{ ids: string | null; recorded_at: Date }>(this.pool, statement);
    const { ids, recorded_at } = rows[0]!;
    const written = new Set(ids?.split(','));
    const recordedAt = recorded_at.toISOString();
    return appends.map((append) => {
      if (!written.has(this.ids.mustUuid(append.stream))) return { status: 'refused' };
      const before = append.expected === 'none' ? 0 : append.expected;
      return { status: 'appended', version: before + append.events.length, recordedAt };
    });
  }

  async read(stream: string, after = 0, limit = 2_147_483_647): Promise<RecordedEvent[]> {
    return (await this.#read([{ stream, after }], limit)).get(stream) ?? [];
  }

  async readToFold(stream: string, after: number, limit: number): Promise<EventToFold[]> {
    const uuid = this.ids.uuid(stream);
    if (uuid === null) return [];
    await this.barrier();
    const { rows } = await this.pool.query<FoldRow>({
      name: 'read_to_fold',
      text: readToFold,
      values: [uuid, after, limit],
    });
    const page = rows[0]!;
    // Something is missing: event by event it is seen what.
    if (page.count !== (page.last ?? after) - after) return this.read(stream, after, limit);
    return page.count === 0 ? [] : eventsToFold(page, after);
  }

  async readWholeToFold(streams: readonly string[]): Promise<Map<string, EventToFold[]>> {
    const found = new Map<string, EventToFold[]>(streams.map((stream) => [stream, []]));
    const known = streams.flatMap((stream) => this.ids.uuid(stream) ?? []);
    if (known.length === 0) return found;
    await this.barrier();
    const { rows } = await this.pool.query<FoldRow & { id: string }>({
      name: 'read_whole_to_fold',
      text: readWholeToFold,
      values: [known],
    });
    for (const row of rows) {
      if (row.count === 0) continue;
      const stream = this.ids.id(row.id);
      found.set(stream, row.count === row.last ? eventsToFold(row, 0) : await this.read(stream));
    }
    return found;
  }

  readMany(streams: { stream: string; after: number }[]): Promise<Map<string, RecordedEvent[]>> {
    return this.#read(streams, 2_147_483_647);
  }

  async #read(streams: { stream: string; after: number }[], limit: number): Promise<Map<string, RecordedEvent[]>> {
    const found = new Map<string, RecordedEvent[]>(streams.map(({ stream }) => [stream, []]));
    const known = streams.flatMap(({ stream, after }) => {
      const uuid = this.ids.uuid(stream);
      return uuid === null ? [] : [{ uuid, after }];
    });
    if (known.length === 0) return found;
    await this.barrier();
    const { rows } = await this.pool.query<EventRow>({
      name: 'read_events',
      text: readEvents,
      values: [known.map((s) => s.uuid), known.map((s) => s.after), limit],
    });
    for (const row of rows) {
      const event = recordedEvent(row, this.ids);
      found.get(event.stream)?.push(event);
    }
    return found;
  }

  async heads(streams: string[]): Promise<Map<string, Head>> {
    const uuids = streams.flatMap((stream) => this.ids.uuid(stream) ?? []);
    if (uuids.length === 0) return new Map();
    await this.barrier();
    const { rows } = await this.pool.query<HeadRow>({ name: 'read_heads', text: readHeads, values: [uuids] });
    return new Map(
      rows.map((row) => {
        const stream = this.ids.id(row.id);
        const runnableAt = row.runnable_at?.toISOString() ?? null;
        return [
          stream,
          { stream, version: row.version, owner: row.owner, runnableAt, priority: row.priority, claims: row.claims },
        ];
      }),
    );
  }
}

function classify(log: PostgresEventLog): typeof classifyAppendFailure {
  return (error) => {
    const kind = classifyAppendFailure(error);
    if (kind === 'doubt') log.noteDoubt();
    return kind;
  };
}

export interface EventRow {
  stream_id: string;
  sequence: number;
  event_id: string;
  type: string;
  schema_version: number;
  data: unknown;
  metadata: EventMetadata | null;
  recorded_at: Date;
  log_incarnation: number;
}
interface HeadRow {
  id: string;
  version: number;
  owner: string | null;
  runnable_at: Date | null;
  priority: number;
  claims: number;
}

export function recordedEvent(row: EventRow, ids: CellIds): RecordedEvent {
  const recorded = {
    type: row.type,
    data: row.data,
    id: row.event_id,
    stream: ids.id(row.stream_id),
    sequence: row.sequence,
    recordedAt: row.recorded_at.toISOString(),
    schemaVersion: row.schema_version,
    logIncarnation: row.log_incarnation,
    metadata: row.metadata ?? {},
  };
  // What was appended was a ProcessEvent; readers upcast older shapes by schemaVersion.
  return recorded as RecordedEvent;
}
