import type { Lease } from '@baton/bus';
import { isConnectionLoss, isUndecided, rebuildLog } from '@baton/event-log';
import type { Logger, LogPool } from '../scheduler.ports.js';
import { finishJob, nextJob, noteProgress, startJob } from '../sql/log-jobs.sql.js';

/**
 * Jobs over the whole log that somebody asked for (`baton log rebuild`).
 * Invariants: 1. one scheduler runs a job at a time, by a lease that it prolongs as it gets on; 2. a job that was broken
 * off is begun again; 3. one that fails for good ends with the reason.
 */
export class LogJobRunner {
  constructor(
    private readonly options: { pool: LogPool; cell: string; lease: Pick<Lease, 'hold' | 'release'>; logger: Logger },
  ) {}

  async round(signal: AbortSignal): Promise<'again' | undefined> {
    const { pool, lease } = this.options;
    const { rows } = await pool.query<{ id: string; kind: string }>(nextJob);
    const job = rows[0];
    if (!job || (await lease.hold()) === null) return undefined;
    await pool.query(startJob, [job.id]);
    try {
      await this.#run(job, signal);
      return 'again';
    } catch (error) {
      if (signal.aborted || isConnectionLoss(error) || isUndecided(error)) throw error;
      this.options.logger.error({ err: error, job: job.id }, 'a job over the log failed');
      await pool.query(finishJob, [job.id, error instanceof Error ? error.message : String(error)]);
      return 'again';
    } finally {
      await lease.release();
    }
  }

  async #run(job: { id: string; kind: string }, signal: AbortSignal): Promise<void> {
    const { pool, cell, lease, logger } = this.options;
    if (job.kind !== 'rebuild') throw new Error(`This release knows no job "${job.kind}": it knows "rebuild".`);
    let writing: Promise<unknown> = Promise.resolve();
    const result = await rebuildLog(pool, cell, {
      signal,
      onProgress(progress) {
        writing = writing
          .then(() => lease.hold())
          .then(() => pool.query(noteProgress, [job.id, JSON.stringify(progress)]))
          .catch((error: unknown) => logger.warn({ err: error, job: job.id }, 'progress could not be noted'));
      },
    });
    await writing;
    await pool.query(noteProgress, [job.id, JSON.stringify(result)]);
    await pool.query(finishJob, [job.id, null]);
    logger.info({ job: job.id, ...result }, 'read models and derived columns were made again from the log');
  }
}
