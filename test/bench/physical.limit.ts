/**
 * What the machine could do at best, measured in the same round as the workload beside it: the disk's fdatasync, single-row
 * commits, and the rows that one Node.js process can group-commit with rows of the same size and no engine at all.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { BatonServer } from './baton.server.js';
import type { Figures } from './figures.js';

export interface EventRow {
  type: string;
  data: string;
  metadata: string | null;
}
/** Each group is one durable boundary: what a process commits together. */
export type Boundaries = readonly EventRow[][];

export interface PhysicalLimit {
  fdatasyncMs: number;
  /** Commits of one row each, one after the other. */
  singleRowCommits: number;
  groupCommit: (GroupCommitShape & { rows: number; operators: number })[];
}

export interface GroupCommitShape {
  connections: number;
  inFlight: number;
}

export const groupCommitShapes: readonly GroupCommitShape[] = [
  { connections: 1, inFlight: 100 },
  { connections: 1, inFlight: 1000 },
  { connections: 2, inFlight: 100 },
  { connections: 2, inFlight: 1000 },
];

const largestBatch = 500;

export async function physicalLimit(
  baton: BatonServer,
  boundaries: Boundaries,
  processes: number,
  shapes: readonly GroupCommitShape[] = groupCommitShapes,
): Promise<PhysicalLimit> {
  const database = baton.whereabouts().database;
  await baton.query(`drop schema if exists bench cascade`);
  await baton.query(`create schema bench`);
  try {
    // Columns and indexes of the log itself.
    await baton.query(`create table bench.event (like public.event including all)`);
    const groupCommit: PhysicalLimit['groupCommit'] = [];
    const single = await singleRowCommits(database, boundaries[0]?.[0]);
    for (const shape of shapes) {
      await baton.query('truncate bench.event');
      groupCommit.push({ ...shape, ...(await groupCommits(database, boundaries, processes, shape)) });
    }
    return { fdatasyncMs: fdatasync(baton.directory), singleRowCommits: single, groupCommit };
  } finally {
    await baton.query('drop schema bench cascade');
  }
}

/** The median of a hundred, after a page each, as the log's own writes are. */
function fdatasync(directory: string): number {
  const file = join(directory, 'fdatasync.probe');
  const page = Buffer.alloc(8192, 1);
  const descriptor = openSync(file, 'w');
  const took: number[] = [];
  try {
    for (let n = 0; n < 100; n++) writeSync(descriptor, page, 0, page.length, n * page.length);
    fdatasyncSync(descriptor);
    for (let n = 0; n < 100; n++) {
      writeSync(descriptor, page, 0, page.length, n * page.length);
      const began = performance.now();
      fdatasyncSync(descriptor);
      took.push(performance.now() - began);
    }
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
  return took.sort((a, b) => a - b)[50] ?? 0;
}

async function singleRowCommits(database: string, row: EventRow | undefined): Promise<number> {
  const client = await connected(database);
  try {
    const commits = 1000;
    const insert = async (n: number) => {
      await client.query({
        name: 'one',
        text: insertOne,
        values: [randomUUID(), n, randomUUID(), row?.type ?? 't', row?.data ?? '{}'],
      });
    };
    for (let n = 1; n <= 100; n++) await insert(n);
    const began = performance.now();
    for (let n = 1; n <= commits; n++) await insert(n);
    return (commits * 1000) / (performance.now() - began);
  } finally {
    await client.end();
  }
}

const insertOne = `insert into bench.event (stream_id, sequence, event_id, type, data, log_incarnation)
  values ($1, $2, $3, $4, $5, 1)`;
const insertMany = `insert into bench.event (stream_id, sequence, event_id, type, data, metadata, log_incarnation)
  select stream, sequence, event_id, type, data, metadata, 1
  from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::jsonb[], $6::jsonb[])
    e(stream, sequence, event_id, type, data, metadata)`;

interface Waiting {
  stream: string;
  sequence: number;
  rows: readonly EventRow[];
  done(): void;
}

async function groupCommits(
  database: string,
  boundaries: Boundaries,
  processes: number,
  shape: GroupCommitShape,
): Promise<{ rows: number; operators: number }> {
  const clients = await Promise.all(Array.from({ length: shape.connections }, () => connected(database)));
  const idle = [...clients];
  const waiting: Waiting[] = [];
  let scheduled = false;
  const kick = () => {
    if (scheduled || idle.length === 0 || waiting.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      void flush();
    });
  };
  const flush = async () => {
    const client = idle.pop();
    const batch = waiting.splice(0, largestBatch);
    if (!client || batch.length === 0) return;
    const columns: [string[], number[], string[], string[], string[], (string | null)[]] = [[], [], [], [], [], []];
    for (const { stream, sequence, rows } of batch)
      rows.forEach((row, at) => {
        columns[0].push(stream);
        columns[1].push(sequence + at);
        columns[2].push(randomUUID());
        columns[3].push(row.type);
        columns[4].push(row.data);
        columns[5].push(row.metadata);
      });
    await client.query({ name: 'many', text: insertMany, values: columns });
    idle.push(client);
    for (const { done } of batch) done();
    kick();
  };
  const oneProcess = async () => {
    const stream = randomUUID();
    let sequence = 1;
    for (const rows of boundaries) {
      await new Promise<void>((done) => {
        waiting.push({ stream, sequence, rows, done });
        kick();
      });
      sequence += rows.length;
    }
  };
  let left = processes;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: shape.inFlight }, async () => {
      while (left > 0) {
        left--;
        await oneProcess();
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(clients.map((client) => client.end()));
  const rowsEach = boundaries.reduce((sum, rows) => sum + rows.length, 0);
  return { rows: (processes * rowsEach) / seconds, operators: (processes * 10) / seconds };
}

async function connected(database: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  return client;
}

export function addLimit(limit: PhysicalLimit, figures: Figures, prefix: string): void {
  figures.add(`${prefix}limit: fdatasync`, 'ms', limit.fdatasyncMs);
  figures.add(`${prefix}limit: single-row commits`, '/s', limit.singleRowCommits);
  for (const { connections, inFlight, rows, operators } of limit.groupCommit) {
    const name = `${prefix}limit: group commit, ${connections} connection${connections > 1 ? 's' : ''}, ${inFlight} in flight: `;
    figures.add(`${name}rows`, '/s', rows);
    figures.add(`${name}as operators`, '/s', operators);
  }
}
