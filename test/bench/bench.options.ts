import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const workloadNames = ['W1', 'W2', 'W2a', 'W3', 'W4', 'W5', 'W6', 'bus', 'cost'] as const;
export type WorkloadName = (typeof workloadNames)[number];

export interface BenchOptions {
  only: WorkloadName[];
  rounds: number;
  json: boolean;
  short: boolean;
  /** Processes of one W1 round. */
  processes: number;
  inFlight: number[];
  executors: number;
  /** One request for each process instead of one for all that are due to be sent together. */
  singleRequests: boolean;
  /** How many processes W3 runs while an executor ends. */
  takenOver: number[];
  parked: number;
  parkedMany: number;
  /** Events that W6 lays down before it measures. */
  growthEvents: number;
  folded: number;
  /** The folder that holds `<app>/main.js` of every app. */
  apps: string;
  /** Another build, measured in turns with the first in the same rounds. */
  against: string | null;
  profile: string | null;
  /** Prints PostgreSQL's most expensive statements after each round. */
  statements: boolean;
  work: string;
  /** The whole report, written again with each figure. */
  out: string | null;
}

const sizes = {
  small: { parkedMany: 10_000, growthEvents: 500_000 },
  full: { parkedMany: 1_000_000, growthEvents: 10_000_000 },
} as const;

export const usage = `Usage: npm run bench -- [options]
  --only W1,W2a         some workloads (default all: ${workloadNames.join(', ')})
  --sizes small|full    small (default): W4 and W6 with 10,000 parked and 500,000 events; full: 1,000,000 and 10,000,000
  --rounds N            rounds of each (default 3; the first one more, to warm up, is not counted)
  --short               W1 and W2 small, under a minute; fails only on the ratio of W1 against the limit
  --json                one JSON object on standard output
  --out FILE            the same, written again with each figure: a run that is cut off loses nothing
  --processes N         processes of a round of W1, W6, bus and cost (default 2000)
  --in-flight N,M       how many at a time (default 100,1000)
  --executors N         executors of W1 and W2 (default 1)
  --single-requests     one HTTP request a process, instead of one for all that are due to be sent together
  --taken-over N,M      processes of W3 (default 100,1000)
  --parked N            processes of W4 that come due in the same second (default 10000)
  --parked-many N       processes of W4 that stay parked: the first 10,000 by driving them, the others as copies of
                        their rows (default: by --sizes)
  --growth-events N     events in the log before W6, copies of the rows of driven processes (default: by --sizes)
  --folded N            events of W5's long process (default 50000)
  --apps DIR            another build to measure (a folder with <app>/main.js)
  --against DIR         a second build, measured in turns with the first: gives the ratio of the two
  --profile DIR         CPU profiles of executor, scheduler and intake are written there
  --statements          PostgreSQL's most expensive statements after each round (pg_stat_statements)
  --work DIR            where the data directories go: the disk that is measured (default: the system's temporary folder)`;

export class UsageError extends Error {
  override name = 'UsageError';
}

export function parseOptions(args: string[], root: string): BenchOptions {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const short = values.short ?? false;
  const number = (name: string, text: string | undefined, preset: number): number => {
    if (text === undefined) return preset;
    if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`--${name}: "${text}" is not a whole number above 0`);
    return Number(text);
  };
  const named = values.sizes ?? 'small';
  if (named !== 'small' && named !== 'full') throw new UsageError(`--sizes: "${named}" is neither small nor full`);
  const size = sizes[named];
  const only = values.only?.split(',') ?? (short ? ['W1', 'W2'] : [...workloadNames]);
  return {
    only: only.map((name) => {
      const known = workloadNames.find((one) => one === name);
      if (!known) throw new UsageError(`--only: there is no workload "${name}"; there are ${workloadNames.join(', ')}`);
      return known;
    }),
    rounds: number('rounds', values.rounds, 3),
    json: values.json ?? false,
    short,
    processes: number('processes', values.processes, short ? 400 : 2000),
    inFlight: (values['in-flight'] ?? (short ? '100' : '100,1000'))
      .split(',')
      .map((text) => number('in-flight', text, 100)),
    executors: number('executors', values.executors, 1),
    singleRequests: values['single-requests'] ?? false,
    takenOver: (values['taken-over'] ?? '100,1000').split(',').map((text) => number('taken-over', text, 100)),
    parked: number('parked', values.parked, 10_000),
    parkedMany: number('parked-many', values['parked-many'], size.parkedMany),
    growthEvents: number('growth-events', values['growth-events'], size.growthEvents),
    folded: number('folded', values.folded, 50_000),
    apps: resolve(values.apps ?? join(root, 'dist', 'apps')),
    against: values.against === undefined ? null : resolve(values.against),
    statements: values.statements ?? false,
    profile: values.profile === undefined ? null : resolve(values.profile),
    work: resolve(values.work ?? tmpdir()),
    out: values.out === undefined ? null : resolve(values.out),
  };
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  return parseArgs({
    args,
    options: {
      only: text,
      rounds: text,
      short: flag,
      json: flag,
      processes: text,
      'in-flight': text,
      executors: text,
      'single-requests': flag,
      'taken-over': text,
      parked: text,
      'parked-many': text,
      'growth-events': text,
      folded: text,
      apps: text,
      against: text,
      profile: text,
      statements: flag,
      work: text,
      sizes: text,
      out: text,
    },
  }).values;
}
