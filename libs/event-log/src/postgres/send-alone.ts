import type { Pool, QueryResultRow } from 'pg';
import type { Statement } from '../append/append-batch.js';
import { InDoubt } from '../event-log.port.js';
import { isConnectionLoss } from './pg-errors.js';

/**
 * One statement that is its own transaction. A commit that PostgreSQL warns about (01000: a cancelled wait for a synchronous
 * replica) is in doubt, and a connection that broke does not go back into the pool.
 */
export async function sendAlone<Row extends QueryResultRow>(pool: Pool, statement: Statement): Promise<Row[]> {
  const client = await pool.connect();
  let warning: string | undefined;
  let broken: Error | undefined;
  const onNotice = (notice: { code?: string | undefined; message?: string | undefined }): void => {
    if (notice.code === '01000') warning = notice.message ?? 'warning';
  };
  const onBroken = (error: Error): void => {
    broken = error;
  };
  client.on('notice', onNotice);
  client.on('error', onBroken);
  try {
    const { rows } = await client.query<Row>(statement);
    if (warning !== undefined) throw new InDoubt(`PostgreSQL committed with a warning: ${warning}`);
    return rows;
  } catch (error) {
    if (isConnectionLoss(error)) broken ??= error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.off('notice', onNotice);
    client.off('error', onBroken);
    client.release(broken);
  }
}
