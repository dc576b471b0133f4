import type { RecordedEvent } from '@baton/process';
import type { Pool, PoolClient } from 'pg';
import { addChange, emptyNetChange, type NetChange } from '../append/net-change.js';
import { type EventRow, recordedEvent } from '../postgres/postgres-event-log.js';
import { PostgresProcessViews } from '../postgres/postgres-process-views.js';
import { withTransaction } from '../postgres/transaction.js';
import { CellIds } from '../process-id.js';
import { type ProcessView, viewAfter } from '../read-models/process-view.js';
import { rebuildLockHeads, rebuildMissingHeads } from '../sql/rebuild-lock-heads.sql.js';
import { rebuildNextStreams, rebuildReadEvents } from '../sql/rebuild-read.sql.js';
import { rebuildDeletes, rebuildHeads, rebuildInserts, rebuildTold } from '../sql/rebuild-write.sql.js';
import { rebuiltRows } from './rebuilt-rows.js';

export interface RebuildOptions {
  /** Streams per transaction: their heads are locked for that long. */
  batch?: number;
  signal?: AbortSignal;
  onProgress?(progress: { processes: number; corrected: number }): void;
}
export interface RebuildResult {
  processes: number;
  /** Heads that differed from what the log says. */
  corrected: number;
}

interface Rebuilt {
  uuid: string;
  version: number;
  net: NetChange;
  view: ProcessView | null;
}

/**
 * Makes heads, side rows and the list of processes again from the log alone, while processes are in flight.
 * Invariants: 1. a head is locked while it is made again, so nothing is appended meanwhile and nothing is lost;
 * 2. versions are those of the log, never raised; 3. each batch is one short transaction, and a broken run is repeated.
 */
export async function rebuildLog(pool: Pool, cell: string, options: RebuildOptions = {}): Promise<RebuildResult> {
  const ids = new CellIds(cell);
  const result: RebuildResult = { processes: 0, corrected: 0 };
  await pool.query('truncate snapshot');
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    options.signal?.throwIfAborted();
    const { rows } = await pool.query<{ stream_id: string }>(rebuildNextStreams, [after, options.batch ?? 100]);
    if (rows.length === 0) break;
    const streams = rows.map((row) => row.stream_id);
    after = streams.at(-1)!;
    result.corrected += await withTransaction(pool, (client) => rebuildBatch(client, pool, ids, streams));
    result.processes += streams.length;
    options.onProgress?.({ ...result });
  }
  // Rows of streams that the log does not know.
  for (const table of ['queue', 'child', 'task', 'incident', 'receiver', 'job', 'process_view'])
    await pool.query(
      `delete from ${table} t where not exists (select from event e where e.stream_id = t.stream_id and e.sequence = 1)`,
    );
  return result;
}

/** The same for a few streams (UUIDs), whose heads were found to differ from the log. Counts those that the log has. */
export async function rebuildStreams(pool: Pool, cell: string, uuids: string[]): Promise<RebuildResult> {
  return withTransaction(pool, async (client) => {
    const known = await client.query<{ n: number }>(
      'select count(*)::int as n from event where sequence = 1 and stream_id = any($1)',
      [uuids],
    );
    const processes = known.rows[0]?.n ?? 0;
    if (processes < uuids.length) return { processes, corrected: 0 };
    await client.query('delete from snapshot where stream_id = any($1)', [uuids]);
    return { processes, corrected: await rebuildBatch(client, pool, new CellIds(cell), uuids) };
  });
}

async function rebuildBatch(client: PoolClient, pool: Pool, ids: CellIds, streams: string[]): Promise<number> {
  await client.query(rebuildMissingHeads, [streams]);
  await client.query(rebuildLockHeads, [streams]);
  const { rows } = await client.query<EventRow & { at: string }>(rebuildReadEvents, [streams]);
  const rebuilt = new Map<string, Rebuilt>();
  for (const row of rows) {
    const event: RecordedEvent = recordedEvent(row, ids);
    const found = rebuilt.get(row.stream_id) ?? {
      uuid: row.stream_id,
      version: 0,
      net: emptyNetChange(),
      view: null,
    };
    addChange(found.net, event, row.at);
    found.version = row.sequence;
    found.view = viewAfter(found.view, event);
    rebuilt.set(row.stream_id, found);
  }
  const all = [...rebuilt.values()];
  const { rowCount } = await client.query(rebuildHeads, [
    all.map((x) => x.uuid),
    all.map((x) => x.version),
    all.map((x) => x.net.owner ?? null),
    all.map((x) => x.net.runnableAt ?? null),
    all.map((x) => x.net.priority ?? 5),
    all.map((x) => x.net.claimsAdded),
  ]);
  for (const text of rebuildDeletes) await client.query(text, [streams]);
  const json = JSON.stringify(rebuiltRows(all, ids));
  for (const text of rebuildInserts) await client.query(text, [json]);
  await client.query(rebuildTold, [streams, ids.cell]);
  await new PostgresProcessViews(pool, ids.cell).save(
    all.flatMap((x) => x.view ?? []),
    client,
  );
  return rowCount ?? 0;
}
