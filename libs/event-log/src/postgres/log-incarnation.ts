import pg from 'pg';
import { adoptIncarnation } from '../sql/adopt-incarnation.sql.js';

export interface LogIncarnation {
  number: number;
  systemIdentifier: string;
  timeline: string;
  reason: string;
  adoptedAt: string;
}

/** The incarnations of this log, the present one last. */
export async function logIncarnations(db: pg.Pool | pg.ClientBase): Promise<LogIncarnation[]> {
  const { rows } = await db.query<{
    number: number;
    system_identifier: string;
    timeline: string;
    reason: string;
    adopted_at: Date;
  }>('select number, system_identifier, timeline, reason, adopted_at from log_incarnation order by number');
  return rows.map((row) => ({
    number: row.number,
    systemIdentifier: row.system_identifier,
    timeline: row.timeline,
    reason: row.reason,
    adoptedAt: row.adopted_at.toISOString(),
  }));
}

/**
 * Accepts the cluster and timeline that answer now as a new incarnation of the log. A person decides this after a
 * promotion or a restore; a promotion under quorum may do it by itself. Works on a connection of its own, because the
 * pools refuse theirs until it is done. null: nothing had changed.
 */
export async function adoptLogIncarnation(url: string, reason: string): Promise<number | null> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'baton adopt',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ number: number }>(adoptIncarnation, [reason]);
    return rows[0]?.number ?? null;
  } finally {
    await client.end();
  }
}
