import type { Pool } from 'pg';
import { removeClusterEvents } from '../sql/remove-cluster-events.sql.js';

/** What happened to the cell's servers. It is read through `clusterTail`. */
export class PostgresClusterEvents {
  constructor(private readonly pool: Pick<Pool, 'query'>) {}

  /** Of servers that are gone for so long; gives how many rows went. */
  async removeOlderThan(days: number, servers: number): Promise<number> {
    const { rowCount } = await this.pool.query(removeClusterEvents, [days, servers]);
    return rowCount ?? 0;
  }
}
