import type pg from 'pg';
import type { BatonServer } from './baton.server.js';

/**
 * Lays down copies of processes that were really driven: their rows in every table of the log (events, heads, lists, what
 * they wait for) with new ids, written by the server itself. What is measured afterwards is the log's size, not how it
 * came about. The transaction ids are those of the originals: every subscriber has them behind it.
 */
export async function copyProcesses(
  baton: BatonServer,
  templates: readonly string[],
  count: number,
  say: (text: string) => void,
): Promise<void> {
  if (templates.length === 0) throw new Error('There is no process to copy.');
  const began = performance.now();
  const tables = await tablesOf(baton, templates);
  const copies = Math.max(1, Math.floor(20_000 / templates.length));
  let left = count;
  let told = count;
  // Two connections: one waits for the disk while the other works.
  await Promise.all(
    [1, 2].map(async () => {
      const client = await baton.pool.connect();
      try {
        await client.query('set synchronous_commit = off');
        await client.query('create temp table made (old uuid, new uuid)');
        while (left > 0) {
          const now = Math.min(left, copies * templates.length);
          left -= now;
          await copyOnce(client, tables, templates, Math.ceil(now / templates.length), now);
          if (told - left >= 100_000) {
            told = left;
            say(`laid down ${count - left} of ${count} processes after ${seconds(began)} s`);
          }
        }
        await client.query('drop table made');
      } finally {
        await client.query('reset synchronous_commit');
        client.release();
      }
    }),
  );
  for (const { table } of tables) await baton.query(`vacuum (analyze, freeze) ${table}`);
  await baton.query('checkpoint');
  say(`laid down ${count} processes as copies of ${templates.length} that were driven, in ${seconds(began)} s`);
}

function seconds(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(0);
}

interface CopiedTable {
  table: string;
  /** The column that holds the process. */
  key: string;
  columns: string[];
}

/** Every table that has rows of these processes, with its columns as they are today. */
async function tablesOf(baton: BatonServer, templates: readonly string[]): Promise<CopiedTable[]> {
  const rows = await baton.query<{ table_name: string; columns: string[] }>(
    `select table_name::text, array_agg(column_name::text order by ordinal_position) as columns
      from information_schema.columns where table_schema = 'public' and is_generated = 'NEVER' group by 1`,
  );
  const found: CopiedTable[] = [];
  for (const { table_name: table, columns } of rows) {
    const key = table === 'process' ? 'id' : 'stream_id';
    if (!columns.includes(key) || table === 'checkpoint' || table === 'audit_finding') continue;
    const [row] = await baton.query<{ any: boolean }>(
      `select exists (select from ${table} where ${key} = any($1::uuid[])) as any`,
      [templates],
    );
    if (row?.any) found.push({ table, key, columns });
  }
  return found;
}

async function copyOnce(
  client: pg.PoolClient,
  tables: readonly CopiedTable[],
  templates: readonly string[],
  copies: number,
  count: number,
): Promise<void> {
  await client.query('truncate made');
  await client.query(
    `insert into made select t, uuidv7() from generate_series(1, $2::int) n cross join unnest($1::uuid[]) t limit $3`,
    [templates, copies, count],
  );
  await client.query('analyze made');
  for (const { table, key, columns } of tables) {
    const values = columns.map((column) => {
      if (column === key) return 'm.new';
      // Events are known by their id everywhere.
      return column === 'event_id' ? 'uuidv7()' : `t.${column}`;
    });
    // In the order in which driven processes come.
    const order = columns.includes('sequence') ? 'm.new, t.sequence' : 'm.new';
    await client.query(
      `insert into ${table} (${columns.join(', ')})
        select ${values.join(', ')} from made m join ${table} t on t.${key} = m.old order by ${order}`,
    );
  }
}
