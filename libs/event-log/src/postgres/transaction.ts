import { AsyncLocalStorage } from 'node:async_hooks';
import type { Pool, PoolClient } from 'pg';
import { messageOf } from '../append/isolate.js';
import { InDoubt } from '../event-log.port.js';
import { isUndecided } from './pg-errors.js';

const open = new AsyncLocalStorage<true>();

/**
 * The one transaction of all writers but the driver's append. It checks the tag that COMMIT answers (an error that was
 * swallowed turns COMMIT into ROLLBACK silently), treats a warning as in doubt (a cancelled wait for a synchronous
 * replica answers COMMIT), and never nests. Within `work` queries are awaited one after another.
 */
export async function withTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  if (open.getStore()) throw new Error('Transactions do not nest: pass the client of the outer one.');
  const client = await pool.connect();
  let warning = '';
  const onNotice = (notice: { code?: string; message?: string }): void => {
    if (notice.code === '01000') warning = notice.message ?? 'warning';
  };
  let broken: Error | undefined;
  // A pool that is not the log's does not listen to a connection that it gave out, and an error without a listener ends the
  // program.
  const onBroken = (error: Error): void => {
    broken = error;
  };
  client.on('error', onBroken);
  try {
    await client.query('begin');
    let result: T;
    try {
      result = await open.run(true, () => work(client));
    } catch (error) {
      await client.query('rollback').catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    }
    client.on('notice', onNotice);
    await commit(client).catch((error: Error) => {
      broken = error;
      throw error;
    });
    if (warning) throw new InDoubt(`PostgreSQL committed with a warning: ${warning}`);
    return result;
  } finally {
    client.off('notice', onNotice);
    client.off('error', onBroken);
    client.release(broken);
  }
}

async function commit(client: PoolClient): Promise<void> {
  let tag: string;
  try {
    tag = (await client.query('commit')).command;
  } catch (error) {
    if (isUndecided(error)) throw new InDoubt(`The answer to COMMIT was lost: ${messageOf(error)}`, { cause: error });
    throw error;
  }
  if (tag !== 'COMMIT') throw new Error(`COMMIT answered ${tag}: a failed query of this transaction was swallowed.`);
}
