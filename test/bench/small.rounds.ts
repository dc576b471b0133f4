import { loadavg } from 'node:os';
import { BatonServer } from './baton.server.js';
import { type BenchContext, settingsOf, withCpu } from './bench.context.js';
import type { BenchOptions, WorkloadName } from './bench.options.js';
import { tenOperators } from './definitions.js';
import { Figures, median } from './figures.js';
import { serverSettings } from './machine.facts.js';
import { addLimit, type Boundaries, type PhysicalLimit, physicalLimit } from './physical.limit.js';
import { resetStatements, slowestStatements, watchStatements } from './statement.times.js';
import { boundariesOf, limitFor, throughput } from './w1.throughput.js';
import { latency, requestToFirstOperator } from './w2.latency.js';

/** What `--short` fails on: half of the ratio of W1 to the limit that is achieved (docs/performance.md). */
const achievedRatio = 0.3;

interface Running {
  prefix: string;
  baton: BatonServer;
  boundaries: Boundaries;
}

/** W1, W2, W2a: on one Baton (or two builds of it, in turns), with the limit of the same round beside. */
export async function smallRounds(context: BenchContext, wants: (name: WorkloadName) => boolean): Promise<void> {
  const { options, figures, report, say } = context;
  const builds = [
    { prefix: '', apps: options.apps },
    ...(options.against ? [{ prefix: 'against: ', apps: options.against }] : []),
  ];
  const running: Running[] = [];
  try {
    for (const { prefix, apps } of builds) {
      const baton = await BatonServer.start({
        ...settingsOf(context, options.executors),
        apps,
        profile: prefix === '' ? options.profile : null,
      });
      running.push({ prefix, baton, boundaries: [] });
    }
    report.settings = await serverSettings(running[0]!.baton.whereabouts().database);
    say(
      Object.entries(report.settings)
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
    );
    for (const one of running) {
      if (options.statements) await watchStatements(one.baton);
      await one.baton.client.publish(tenOperators);
      await warmUp(context, one);
      const [stream] = await one.baton.query<{ id: string }>(`select id from process limit 1`);
      one.boundaries = await boundariesOf(one.baton, `x-${stream?.id ?? ''}`);
    }
    for (let round = 1; round <= options.rounds; round++) {
      const load = loadavg()[0] ?? 0;
      say(`W1, W2, W2a: round ${round} of ${options.rounds}`);
      figures.add('load of the machine before the round', '', load);
      const first = running[0]!;
      // The limit's processes are those of a driven process: request and admission are not part of it.
      const driven = first.boundaries.slice(-11);
      const limit = await physicalLimit(first.baton, driven, Math.min(options.processes, 2000));
      addLimit(limit, figures, '');
      for (const one of running) await smallRound(context, wants, one, limit);
      if (options.against) compare(options, figures);
    }
    if (options.short && wants('W1')) report.failures.push(...belowRecord(options, figures));
  } finally {
    for (const { baton } of running) await baton.stop();
  }
}

/**
 * A whole round that is not counted: a service that has just started runs half as fast, until its code is compiled.
 * The short bench, which has a minute, warms up with less and is judged with room for it.
 */
async function warmUp({ options, say }: BenchContext, { prefix, baton }: Running): Promise<void> {
  const processes = options.short ? 200 : options.processes;
  for (const inFlight of options.short ? [100] : options.inFlight) {
    const { operators } = await throughput(baton, { processes, inFlight, single: false }, new Figures(), '');
    say(`${prefix}warmed up with ${inFlight} in flight at ${Math.round(operators)} operators/s`);
  }
}

async function smallRound(
  { options, figures, say }: BenchContext,
  wants: (name: WorkloadName) => boolean,
  { prefix, baton }: Running,
  limit: PhysicalLimit,
): Promise<void> {
  if (wants('W1'))
    for (const inFlight of options.inFlight) {
      const name = `${prefix}W1 ${inFlight} in flight: `;
      const round = { processes: options.processes, inFlight, single: options.singleRequests };
      if (options.statements) await resetStatements(baton);
      const { operators } = await throughput(baton, round, figures, name);
      figures.add(`${prefix}${ratioName(inFlight)}`, '', operators / limitFor(limit, inFlight));
      if (options.statements) for (const line of await slowestStatements(baton, 20)) say(line);
    }
  if (wants('W2')) {
    const count = options.short ? 50 : 200;
    if (options.statements) await resetStatements(baton);
    const perOperator = await withCpu(baton, figures, `${prefix}W2: `, { count, of: 'process' }, () =>
      latency(baton, count, figures, `${prefix}W2: `),
    );
    figures.add(`${prefix}W2: ratio to a bare commit`, '×', (perOperator * limit.singleRowCommits) / 1000);
    if (options.statements) for (const line of await slowestStatements(baton, 20)) say(line);
  }
  if (wants('W2a'))
    await withCpu(baton, figures, `${prefix}W2a: `, { count: 1000, of: 'process' }, () =>
      requestToFirstOperator(baton, 1000, 100, figures, `${prefix}W2a: `),
    );
}

function ratioName(inFlight: number): string {
  return `W1 ${inFlight} in flight: ratio to the group-commit limit`;
}

function belowRecord(options: BenchOptions, figures: Figures): string[] {
  return options.inFlight.flatMap((inFlight) => {
    const ratio = median(figures.find(ratioName(inFlight))?.rounds ?? []);
    if (ratio >= achievedRatio / 2) return [];
    return `W1 with ${inFlight} in flight is at ${(ratio * 100).toFixed(0)} % of the group-commit limit of the same run; it has been at ${achievedRatio * 100} %, and half of that is the least`;
  });
}

function compare(options: BenchOptions, figures: Figures): void {
  const last = (name: string) => figures.find(name)?.rounds.at(-1);
  for (const inFlight of options.inFlight)
    for (const what of ['operators', 'CPU per process, Baton and PostgreSQL']) {
      const name = `W1 ${inFlight} in flight: ${what}`;
      const [here, there] = [last(name), last(`against: ${name}`)];
      if (here !== undefined && there !== undefined) figures.add(`${name}, this build / the other`, '×', here / there);
    }
}
