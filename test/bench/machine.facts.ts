import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import pg from 'pg';

export interface MachineFacts {
  processor: string;
  cores: number;
  memoryGiB: number;
  kernel: string;
  node: string;
  baton: string;
  /** Processes that wanted to run in the minute before: what else was going on. */
  load: number;
}

export function machineFacts(root: string): MachineFacts {
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    baton: version,
    load: loadavg()[0] ?? 0,
  };
}

const settings = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_sync_method',
  'wal_level',
  'shared_buffers',
  'max_wal_size',
  'commit_delay',
  'wal_compression',
  'jit',
];

/** As the running server has them, for a connection like any other. */
export async function serverSettings(database: string): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; value: string }>(
      'select name, current_setting(name) as value from unnest($1::text[]) name',
      [settings],
    );
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  } finally {
    await client.end();
  }
}
