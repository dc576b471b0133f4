import type { Json } from '@baton/process';
import pg from 'pg';
import type { Statement } from './sql.fields.js';
import { jsonTypes } from './sql.values.js';

export interface StatementResult {
  rows: Json[];
  rowCount: number;
}
export interface RowLimits {
  maxRows: number;
  maxBytes: number;
}

/** More rows than an output may hold: the rest was read and let go, so that no result fills the executor's memory. */
export class TooManyRows extends Error {
  override name = 'TooManyRows';
  readonly code = 'too-many-rows';
}

/** Runs one statement by the extended protocol, which takes one statement only. Written to the socket before it returns. */
export function runStatement(client: pg.PoolClient, statement: Statement, limits: RowLimits): Promise<StatementResult> {
  const config = {
    text: statement.sql,
    values: statement.parameters.map(parameter),
    types: jsonTypes,
    queryMode: 'extended',
  };
  const query = new pg.Query<Record<string, Json>>(config);
  const rows: Json[] = [];
  let bytes = 0;
  let count = 0;
  query.on('row', (row) => {
    count += 1;
    if (count > limits.maxRows || bytes > limits.maxBytes) return;
    bytes += sizeOf(row);
    rows.push(row);
  });
  return new Promise((resolve, reject) => {
    query.on('error', reject);
    query.on('end', (result) => {
      if (count > limits.maxRows)
        reject(new TooManyRows(`it gave ${count} rows; an output holds at most ${limits.maxRows}`));
      else if (bytes > limits.maxBytes) reject(new TooManyRows(`its rows are larger than ${limits.maxBytes} bytes`));
      else resolve({ rows, rowCount: result.rowCount ?? rows.length });
    });
    client.query(query);
  });
}

function sizeOf(row: Record<string, Json>): number {
  let size = 2;
  for (const [key, value] of Object.entries(row))
    size +=
      key.length +
      4 +
      (typeof value === 'string' ? value.length : typeof value === 'object' ? JSON.stringify(value).length : 8);
  return size;
}

/** Lists become PostgreSQL arrays (`= any($1)`) where they hold plain values, JSON otherwise. */
function parameter(value: Json): unknown {
  if (Array.isArray(value)) {
    const plain = value.every((part) => part === null || typeof part !== 'object');
    return plain ? value : JSON.stringify(value);
  }
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
