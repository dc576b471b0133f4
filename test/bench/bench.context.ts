import { join } from 'node:path';
import { BatonServer, type BatonSettings, cpuBetween } from './baton.server.js';
import type { BenchOptions } from './bench.options.js';
import type { BenchReport } from './bench.report.js';
import { tenOperators } from './definitions.js';
import { Figures } from './figures.js';
import { serverSettings } from './machine.facts.js';
import { addLimit, type Boundaries, physicalLimit } from './physical.limit.js';
import { boundariesOf, throughput } from './w1.throughput.js';

/** What every workload is given. */
export interface BenchContext {
  options: BenchOptions;
  report: BenchReport;
  figures: Figures;
  /** Where Baton lies. */
  root: string;
  say(text: string): void;
}

export function settingsOf({ options, root }: BenchContext, executors: number): BatonSettings {
  const operators = join(root, 'test', 'bench', 'bench.operators.mjs');
  return { apps: options.apps, operators, executors, work: options.work };
}

/** A Baton that has run a while, and what one of its processes committed together. */
export interface WarmServer {
  baton: BatonServer;
  boundaries: Boundaries;
}

/** Where rates are compared, `processes` is a whole round: until its code is compiled, a service runs half as fast. */
export async function startWarm(context: BenchContext, settings: BatonSettings, processes = 300): Promise<WarmServer> {
  const baton = await BatonServer.start(settings);
  try {
    context.report.settings = await serverSettings(baton.whereabouts().database);
    await baton.client.publish(tenOperators);
    const warm = await throughput(baton, { processes, inFlight: 100, single: false }, new Figures(), '');
    context.say(`warmed up at ${Math.round(warm.operators)} operators/s`);
    const [stream] = await baton.query<{ id: string }>(`select id from process limit 1`);
    // The limit's processes are those of a driven process: request and admission are not part of it.
    return { baton, boundaries: (await boundariesOf(baton, `x-${stream?.id ?? ''}`)).slice(-11) };
  } catch (error) {
    await baton.stop();
    throw error;
  }
}

/** The limit beside the other workloads: in the same round, as they are, but one shape of the group commit is enough. */
export async function roundLimit({ figures }: BenchContext, warm: WarmServer, workload: string): Promise<void> {
  const shapes = [{ connections: 1, inFlight: 100 }];
  addLimit(await physicalLimit(warm.baton, warm.boundaries, 500, shapes), figures, `${workload} `);
}

/** CPU time of every part while `work` runs, for each of so many. */
export async function withCpu<T>(
  baton: BatonServer,
  figures: Figures,
  prefix: string,
  each: { count: number; of: string },
  work: () => Promise<T>,
): Promise<T> {
  const before = baton.cpu();
  const result = await work();
  const { client, ...server } = cpuBetween(before, baton.cpu());
  // A part whose process was killed meanwhile has no sum.
  for (const [part, ms] of Object.entries(server).filter(([, sum]) => sum >= 0))
    figures.add(`${prefix}CPU per ${each.of}, ${part}`, 'ms', ms / each.count);
  figures.add(`${prefix}CPU per ${each.of}, client`, 'ms', client / each.count);
  return result;
}
