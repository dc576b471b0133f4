import type { Lease, Republisher } from '@baton/bus';
import { isConnectionLoss, isUndecided, rebuildLog } from '@baton/event-log';
import type { Logger, LogPool } from '../scheduler.ports.js';
import { finishJob, nextJob, noteProgress, startJob } from '../sql/log-jobs.sql.js';

interface Job {
  id: string;
  kind: string;
  detail: unknown;
}

/**
 * Jobs over the log that somebody asked for (`baton log rebuild`, `baton bus republish`).
 * Invariants: 1. one scheduler runs a job at a time, by a lease that it prolongs as it gets on; 2. a job that was broken
 * off is begun again; 3. one that fails for good ends with the reason.
 */
export class LogJobRunner {
  constructor(
    private readonly options: {
      pool: LogPool;
      cell: string;
      lease: Pick<Lease, 'hold' | 'release'>;
      logger: Logger;
      /** Null over the embedded bus. */
      republisher?: Pick<Republisher, 'run'> | null;
    },
  ) {}

  async round(signal: AbortSignal): Promise<'again' | undefined> {
    const { pool, lease } = this.options;
    const { rows } = await pool.query<Job>(nextJob);
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

  async #run(job: Job, signal: AbortSignal): Promise<void> {
    if (job.kind === 'republish') return this.#republish(job, signal);
    return this.#rebuild(job, signal);
  }

  async #republish(job: Job, signal: AbortSignal): Promise<void> {
    const { pool, lease, logger, republisher } = this.options;
    if (!republisher) throw new Error('The bus is the embedded one: there are no topics to write to.');
    const published = await republisher.run(job.detail, {
      signal,
      async onProgress(count) {
        await lease.hold();
        await pool.query(noteProgress, [job.id, JSON.stringify({ published: count })]);
      },
    });
    await pool.query(finishJob, [job.id, null]);
    logger.info({ job: job.id, published, range: job.detail }, 'a range of the log was written to the topics again');
  }

  async #rebuild(job: Job, signal: AbortSignal): Promise<void> {
    const { pool, cell, lease, logger } = this.options;
    if (job.kind !== 'rebuild')
      throw new Error(`This release knows no job "${job.kind}": it knows "rebuild" and "republish".`);
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
