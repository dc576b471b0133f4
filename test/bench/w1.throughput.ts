import { type BatonServer, cpuBetween } from './baton.server.js';
import { closedLoop } from './closed.loop.js';
import { type Figures, quantile } from './figures.js';
import type { Boundaries, PhysicalLimit } from './physical.limit.js';

export interface ThroughputRound {
  processes: number;
  inFlight: number;
  single: boolean;
}

export interface Throughput {
  operators: number;
}

/** W1: many short processes at once. */
export async function throughput(
  baton: BatonServer,
  round: ThroughputRound,
  figures: Figures,
  prefix: string,
): Promise<Throughput> {
  const before = { cpu: baton.cpu(), wal: await walOf(baton) };
  const { seconds, latencies, streams } = await closedLoop(baton, 'bench/ten', round);
  const cpu = cpuBetween(before.cpu, baton.cpu());
  const wal = await walOf(baton);
  const counted = await countsOf(baton, streams);
  const operators = (round.processes * 10) / seconds;
  const add = (name: string, unit: string, value: number) => figures.add(`${prefix}${name}`, unit, value);
  add('operators', '/s', operators);
  add('processes', '/s', round.processes / seconds);
  add('request to end p50', 'ms', quantile(latencies, 0.5));
  add('request to end p99', 'ms', quantile(latencies, 0.99));
  add('events per process', '', counted.events / round.processes);
  add('durable boundaries per process', '', counted.boundaries / round.processes);
  add('commits of appends', '', counted.commits);
  add('events per commit', '', counted.events / counted.commits);
  add('fsyncs of the WAL', '', wal.fsyncs - before.wal.fsyncs);
  add('WAL per process', 'kB', (wal.bytes - before.wal.bytes) / 1000 / round.processes);
  const { client, ...server } = cpu;
  for (const [part, ms] of Object.entries(server)) add(`CPU per process, ${part}`, 'ms', ms / round.processes);
  add(
    'CPU per process, Baton and PostgreSQL',
    'ms',
    Object.values(server).reduce((a, b) => a + b, 0) / round.processes,
  );
  add('CPU per process, client', 'ms', client / round.processes);
  return { operators };
}

/** The rows of one process as it stands in the log, by what it committed together: what the limit writes as well. */
export async function boundariesOf(baton: BatonServer, stream: string): Promise<Boundaries> {
  const rows = await baton.query<{ xid: string; type: string; data: string; metadata: string | null }>(
    `select transaction_id::text as xid, type, data::text as data, metadata::text as metadata from event
      where stream_id = $1 order by sequence`,
    [stream.slice(stream.indexOf('-') + 1)],
  );
  return [...Map.groupBy(rows, (row) => row.xid).values()];
}

/** Of the round's limit with as many in flight: the better of one and two connections. */
export function limitFor(limit: PhysicalLimit, inFlight: number): number {
  const nearest = inFlight >= 1000 ? 1000 : 100;
  return Math.max(...limit.groupCommit.filter((one) => one.inFlight === nearest).map(({ operators }) => operators));
}

async function walOf(baton: BatonServer): Promise<{ fsyncs: number; bytes: number }> {
  const [row] = await baton.query<{ fsyncs: number; bytes: number }>(
    `select (select coalesce(sum(fsyncs), 0)::float8 from pg_stat_io where object = 'wal') as fsyncs,
      pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes`,
  );
  return row ?? { fsyncs: 0, bytes: 0 };
}

async function countsOf(
  baton: BatonServer,
  streams: readonly string[],
): Promise<{ events: number; boundaries: number; commits: number }> {
  const [row] = await baton.query<{ events: number; boundaries: number; commits: number }>(
    `select count(*)::int as events, count(distinct (stream_id, transaction_id))::int as boundaries,
      count(distinct transaction_id)::int as commits from event where stream_id = any($1::uuid[])`,
    [streams.map((id) => id.slice(id.indexOf('-') + 1))],
  );
  return row ?? { events: 0, boundaries: 0, commits: 0 };
}
