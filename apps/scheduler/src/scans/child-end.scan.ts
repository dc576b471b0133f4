import type { CellIds, CommandHandler } from '@baton/event-log';
import type { ProcessCommand, ProcessEventData } from '@baton/process';
import { type Logger, type LogPool, type Meter, schedulerActor } from '../scheduler.ports.js';
import { anyUntoldChild, markTold, orphanedChildren, untoldChildren } from '../sql/children.sql.js';

const first = '00000000-0000-0000-0000-000000000000';

interface EndedChild {
  stream_id: string;
  parent_id: string;
  path: string;
  attempt: number;
  type: string;
  data: unknown;
}

/**
 * What follows from one stream in another and was not told when it happened (design 2, rule 5): the end of a child to
 * its parent, the end of a parent to the children that it wanted cancelled.
 * Invariants:
 * 1. A child is marked as told only after its parent's stream holds the end, or cannot take it any more.
 * 2. Telling twice changes nothing: the parent drops what it knows.
 * 3. One that cannot be told does not keep the others from being told.
 */
export class ChildEndScan {
  constructor(
    private readonly options: {
      pool: LogPool;
      ids: CellIds;
      commands: Pick<CommandHandler, 'handle'>;
      logger: Logger;
      meter: Meter;
      batch?: number;
    },
  ) {}

  async run(): Promise<void> {
    const { rows } = await this.options.pool.query<{ any: boolean }>(anyUntoldChild);
    if (!rows[0]!.any) return;
    await this.#each<EndedChild>(untoldChildren, (row) => this.#tell(row));
    await this.#each<{ stream_id: string; parent_id: string }>(orphanedChildren, (row) => this.#cancel(row));
  }

  /** What is said of this child. */
  async #tell(row: EndedChild): Promise<void> {
    const { pool, ids, commands, meter } = this.options;
    const parent = ids.id(row.parent_id);
    const result = await commands.handle(parent, endOf(ids.id(row.stream_id), row));
    if (result.status === 'refused') {
      const { code, reason } = result.refusal;
      if (code === 'conflict') return;
      if (code !== 'already-done' && code !== 'ended')
        this.options.logger.debug({ process: parent, child: ids.id(row.stream_id), reason }, 'a parent does not wait');
    }
    if (result.status === 'done' && result.events.length > 0) meter.count('baton.scheduler.children-told');
    await pool.query(markTold, [[row.stream_id]]);
  }

  async #cancel(row: { stream_id: string; parent_id: string }): Promise<void> {
    const { ids, commands } = this.options;
    const reason = `Its parent ${ids.id(row.parent_id)} has ended (onParentEnd: cancel).`;
    await commands.handle(ids.id(row.stream_id), { kind: 'cancel', by: schedulerActor, reason });
  }

  async #each<Row extends { stream_id: string }>(sql: string, work: (row: Row) => Promise<void>): Promise<void> {
    const { pool, batch = 200, ids, logger } = this.options;
    for (let after = first; ; ) {
      const { rows } = await pool.query<Row>(sql, [after, batch]);
      for (const row of rows) {
        try {
          await work(row);
        } catch (error) {
          logger.warn({ err: error, process: ids.id(row.stream_id) }, 'a child or its parent could not be told');
        }
      }
      if (rows.length < batch) return;
      after = rows.at(-1)!.stream_id;
    }
  }
}

function endOf(child: string, row: EndedChild): ProcessCommand {
  const { path, attempt } = row;
  const common = { kind: 'endChild' as const, child, path, attempt };
  switch (row.type) {
    case 'ProcessCompleted': {
      const { outputs } = row.data as ProcessEventData['ProcessCompleted'];
      return { ...common, status: 'completed', outputs };
    }
    case 'ProcessFailed': {
      const { error } = row.data as ProcessEventData['ProcessFailed'];
      return { ...common, status: 'failed', error };
    }
    default:
      return { ...common, status: 'cancelled' };
  }
}
