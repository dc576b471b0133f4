import { BatonServer } from './baton.server.js';
import type { BenchContext } from './bench.context.js';
import { type BenchOptions, parseOptions, UsageError, usage, type WorkloadName } from './bench.options.js';
import { BenchReport } from './bench.report.js';
import { costs } from './bus.costs.js';
import { bus } from './bus.events.js';
import { machineFacts } from './machine.facts.js';
import { smallRounds } from './small.rounds.js';
import { takeovers } from './w3.takeover.js';
import { parked } from './w4.parked.js';
import { longProcesses } from './w5.long.js';
import { growth } from './w6.growth.js';

const root = process.env['BATON_BENCH_ROOT'] ?? process.cwd();

type Workload = (context: BenchContext) => Promise<void>;

async function bench(context: BenchContext, cut: AbortSignal): Promise<void> {
  const { options, say } = context;
  const wants = (name: WorkloadName) => options.only.includes(name);
  const began = performance.now();
  const workloads: [name: string, wanted: boolean, run: Workload][] = [
    ['W1, W2, W2a', wants('W1') || wants('W2') || wants('W2a'), (given) => smallRounds(given, wants)],
    ['bus', wants('bus'), bus],
    ['cost', wants('cost'), costs],
    ['W3', wants('W3'), takeovers],
    ['W5', wants('W5'), longProcesses],
    ['W4', wants('W4'), parked],
    ['W6', wants('W6'), growth],
  ];
  for (const [name, wanted, run] of workloads) {
    if (!wanted) continue;
    try {
      await run(context);
    } catch (error) {
      if (cut.aborted) return;
      // The others are measured all the same.
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      context.report.failures.push(`${name} broke off: ${text}`);
      say(`${name} broke off: ${text}`);
    }
    say(`${name} done ${((performance.now() - began) / 60_000).toFixed(1)} minutes after the start`);
  }
}

function print(report: BenchReport, options: BenchOptions): void {
  console.log(options.json ? JSON.stringify(report.content(), null, 1) : report.text());
  for (const failure of report.failures) console.error(`FAILED: ${failure}`);
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    console.log(usage);
    return 0;
  }
  let options: BenchOptions;
  try {
    options = parseOptions(args, root);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n${usage}`);
    return 2;
  }
  const machine = machineFacts(root);
  const say = (text: string) => console.error(text);
  say(
    `${machine.cores} × ${machine.processor}, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node.js ${machine.node}, Baton ${machine.baton}; load ${machine.load.toFixed(1)}`,
  );
  const report = new BenchReport(machine, options.out, say);
  const cut = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      cut.abort();
      report.failures.push(`Cut off by ${signal}.`);
      report.save();
      print(report, options);
      void Promise.allSettled([...BatonServer.running].map((baton) => baton.stop())).then(() => process.exit(130));
    });
  await bench({ options, report, figures: report.figures, root, say }, cut.signal);
  // What was found is printed already, and what runs is being stopped.
  if (cut.signal.aborted) return 130;
  report.save();
  print(report, options);
  return report.failures.length === 0 ? 0 : 1;
}

process.exitCode = await main();
