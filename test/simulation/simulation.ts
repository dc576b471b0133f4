import { initialState, type ProcessEvent, type ProcessState } from '@baton/process';
import { wait } from '../../apps/executor/src/clock/clock.port.js';
import type { PlantedFault } from './planted.faults.js';
import { type RandomDefinition, RandomGraph } from './random.graph.js';
import { SeededRandom } from './seeded.random.js';
import { SimulatedCluster, type SimulatedExecutor } from './simulated.cluster.js';

export interface SimulationOptions {
  planted?: PlantedFault;
  trace?: (line: string) => void;
}

export interface SimulationResult {
  seed: number;
  violations: string[];
  processes: number;
  events: number;
  steps: number;
  effects: number;
  lateEffects: number;
  takeovers: number;
  kills: number;
  freezes: number;
}

/** Longest virtual time that a run may take; what is open then is stuck. */
const patience = 240_000;
/** Faults happen until then. */
const faultsUntil = 15_000;

/** One seed: a definition, a cluster, a schedule of faults. First without faults, then with them: the ends must be the same. */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  const random = new SeededRandom(seed);
  const definitions = new RandomGraph(random.fork()).make('default/main');
  const calm = await run(random.fork(), definitions, false, {});
  const stormy = await run(random.fork(), definitions, true, options);
  const violations = [...calm.cluster.checker.violations.map((v) => `without faults: ${v}`)];
  violations.push(...stormy.cluster.checker.violations);
  if (violations.length === 0) violations.push(...compareEnds(definitions, calm, stormy));
  const { checker, time } = stormy.cluster;
  return {
    seed,
    violations,
    processes: stormy.roots.length,
    events: checker.events,
    steps: time.steps,
    effects: checker.ledger.length,
    lateEffects: checker.lateEffects,
    takeovers: checker.takeovers,
    kills: stormy.kills,
    freezes: stormy.freezes,
  };
}

interface Run {
  cluster: SimulatedCluster;
  roots: string[];
  kills: number;
  freezes: number;
}

async function run(
  random: SeededRandom,
  definitions: readonly RandomDefinition[],
  isStormy: boolean,
  options: SimulationOptions,
): Promise<Run> {
  const strength = isStormy ? random.pick([0, 0.02, 0.1]) : 0;
  const isStorm = (): boolean => isStormy && cluster.time.current() < 1_000_000 + faultsUntil;
  const cluster: SimulatedCluster = new SimulatedCluster({
    random: random.fork(),
    definitions,
    wire: () => (isStorm() ? { cut: strength, late: strength / 3 } : { cut: 0, late: 0 }),
    breaks: () => (isStorm() ? 0.1 : 0),
    settings: { quarantineDeaths: () => 100 },
    planted: options.planted ?? null,
    withoutHints: isStormy && random.chance(0.2),
    trace: options.trace ?? null,
  });
  const state: Run = { cluster, roots: [], kills: 0, freezes: 0 };
  const executors = isStormy ? random.between(2, 3) : 1;
  for (let n = 0; n < executors; n += 1) cluster.startExecutor();
  const processes = isStormy ? random.between(1, 3) : 1;
  for (let n = 0; n < processes; n += 1) request(state, random, isStormy ? random.between(0, 5000) : 0);
  const outside = cluster.client();
  start(state, admit(state, outside, random.fork()));
  start(state, answer(state, outside, random.fork(), isStormy));
  if (isStormy) start(state, storm(state, random.fork()));
  await cluster.time.run(
    1_000_000 + patience,
    () => cluster.checker.violations.length > 0 || hasEnded(state, processes),
  );
  if (cluster.checker.violations.length === 0 && !hasEnded(state, processes)) {
    for (const [stream, record] of cluster.checker.streams)
      if (!record.ended)
        cluster.checker.violate(
          'stuck',
          `${stream} after ${record.events.length} events, last ${record.events.slice(-3).map((e) => e.type)}, owner ${record.owner}, head ${JSON.stringify(cluster.cell.state.streams.get(stream)?.head)}`,
        );
  }
  for (const { node } of cluster.executors) node.kill();
  outside.node.kill();
  return state;
}

function start(state: Run, work: Promise<void>): void {
  work.catch((error: unknown) => state.cluster.checker.violate('bug', String(error)));
}

function hasEnded(state: Run, processes: number): boolean {
  if (state.roots.length < processes) return false;
  for (const record of state.cluster.checker.streams.values()) if (!record.ended) return false;
  return state.roots.every((stream) => state.cluster.checker.streams.has(stream));
}

/** A process of the definition, requested after that time. */
export function request(
  state: Pick<Run, 'cluster' | 'roots'>,
  random: SeededRandom,
  after: number,
  definitionName = 'default/main',
): void {
  const { cluster } = state;
  const definition = cluster.definitions.get(definitionName);
  if (definition === undefined) throw new Error(`no definition ${definitionName}`);
  const { name, version, digest } = definition;
  const stream = `c1-${cluster.newId()}`;
  state.roots.push(stream);
  const event: ProcessEvent = {
    type: 'ProcessRequested',
    data: {
      definition: { name, version, digest },
      environment: null,
      inputs: { n: 1 },
      priority: random.between(0, 9),
      labels: {},
      requester: { id: 'somebody', groups: [] },
    },
  };
  const append = { stream, expected: 'none' as const, events: [{ id: cluster.newId(), event, metadata: {} }] };
  cluster.time.schedule(after, () => {
    cluster.cell.log.append([append]).then(
      ([result]) => {
        if (result?.status === 'appended') cluster.checker.appended(append, result.version);
      },
      (error: unknown) => cluster.checker.violate('bug', String(error)),
    );
  });
}

type Client = ReturnType<SimulatedCluster['client']>;

/** The scheduler's part: admits what is requested, and tells ends that parents have not heard of. */
export async function admit(
  { cluster }: Pick<Run, 'cluster'>,
  { node, commands }: Client,
  random: SeededRandom,
): Promise<void> {
  for (;;) {
    await wait(node, random.between(20, 400));
    for (const [stream, { queue, child }] of cluster.cell.state.streams) {
      if (queue !== null) await attempt(() => commands.handle(stream, { kind: 'schedule' }));
      const record = cluster.checker.streams.get(stream);
      if (child === null || child.told || record?.ended !== true || !random.chance(0.2)) continue;
      const { end, outputs, error } = record.state;
      if (end === null || cluster.checker.streams.get(child.parent)?.ended === true) continue;
      const told = await attempt(() =>
        commands.handle(child.parent, {
          kind: 'endChild',
          child: stream,
          path: child.path,
          attempt: child.attempt,
          status: end,
          ...(outputs !== undefined && { outputs }),
          ...(error !== undefined && { error }),
        }),
      );
      if (told) child.told = true;
    }
  }
}

/** People and other systems: answer tasks, send messages, resolve incidents; sometimes twice, and all at once. */
async function answer({ cluster }: Run, client: Client, random: SeededRandom, isRough: boolean): Promise<void> {
  const { node, commands } = client;
  const by = { id: 'a-person', groups: ['people'] };
  for (;;) {
    await wait(node, random.between(50, 1500));
    for (const [stream, { rows }] of cluster.cell.state.streams) {
      for (const taskId of [...rows.task.keys()]) {
        const give = (): Promise<unknown> =>
          commands.handle(stream, { kind: 'answerTask', taskId, answer: { go: true }, by });
        await attempt(() => (isRough && random.chance(0.3) ? Promise.all([give(), give()]) : give()));
      }
      for (const { path } of [...rows.receiver.values()]) {
        if (path === null) continue;
        const messageId = `${stream} ${path}`;
        await attempt(() =>
          commands.handle(stream, { kind: 'receiveMessage', messageId, name: 'news', path, payload: { all: 'well' } }),
        );
      }
      for (const incidentId of [...rows.incident.keys()])
        await attempt(() => commands.handle(stream, { kind: 'resolveIncident', incidentId, action: 'rerun', by }));
    }
  }
}

async function attempt(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch {
    // The wire broke: tried again at the next round.
    return false;
  }
}

/** Kills, freezes, restarts, lost sessions, drained and new executors; all over after a while. */
async function storm(state: Run, random: SeededRandom): Promise<void> {
  const { cluster } = state;
  const node = cluster.newNode();
  const busyness = random.pick([500, 2000, 5000]);
  const sharpness = random.pick([0, 0.02, 0.08]);
  cluster.onAppended = (where, { events }) => {
    // Between the commit of a start and its effect lies the worst moment of all.
    const isStart = events.some(({ event }) => event.type === 'OperatorStarted' && event.data.class === 'effect');
    if (node.wall() > 1_000_000 + faultsUntil || !random.chance(isStart ? sharpness * 3 : sharpness / 2)) return;
    const victim = cluster.executors.find((one) => one.node === where);
    if (victim !== undefined) strike(state, victim, random);
  };
  for (;;) {
    await wait(node, random.between(1, busyness));
    if (node.wall() > 1_000_000 + faultsUntil) break;
    const victims = cluster.executors.filter((one) => one.node.isAlive);
    if (victims.length === 0) continue;
    const victim = random.pick(victims);
    switch (random.pick(['strike', 'strike', 'strike', 'strike', 'strike', 'lock', 'database', 'drain', 'clock'])) {
      case 'strike':
        strike(state, victim, random);
        break;
      case 'lock':
        for (const id of victim.incarnations) cluster.cell.executors.dropLock(id);
        break;
      case 'database':
        cluster.wire.isDown = true;
        cluster.time.schedule(random.between(10, 2500), () => {
          cluster.wire.isDown = false;
          cluster.cell.executors.databaseRestarted();
        });
        break;
      case 'drain':
        if (victims.length < 2) break;
        victim.host.close().then(
          () => cluster.kill(victim, false),
          (error: unknown) => cluster.checker.violate('bug', String(error)),
        );
        comeBack(state, random.between(100, 4000));
        break;
      default:
        victim.node.stepWallClock(random.pick([-3_600_000, -500, 500, 3_600_000]));
    }
  }
  if (cluster.executors.every((one) => !one.node.isAlive)) comeBack(state, 100);
}

/** What happens to a machine: it dies, it stands still beyond its lease, or for a moment. */
function strike(state: Run, victim: SimulatedExecutor, random: SeededRandom): void {
  const { cluster } = state;
  switch (random.pick(['kill', 'freeze', 'freeze', 'nap', 'nap'])) {
    case 'kill':
      state.kills += 1;
      cluster.kill(victim, random.chance(0.3));
      comeBack(state, random.between(100, 4000));
      return;
    case 'freeze':
      state.freezes += 1;
      freeze(cluster, victim, random, random.between(2000, 9000));
      return;
    default:
      freeze(cluster, victim, random, random.chance(0.3) ? random.between(100, 1800) : random.between(1800, 2990));
  }
}

function freeze(cluster: SimulatedCluster, victim: SimulatedExecutor, random: SeededRandom, ms: number): void {
  if (victim.node.isFrozen()) return;
  victim.node.freeze(random.chance(0.3));
  if (random.chance(0.7)) for (const id of victim.incarnations) cluster.cell.executors.dropLock(id);
  cluster.time.schedule(ms, () => victim.node.thaw());
}

function comeBack({ cluster }: Run, ms: number): void {
  cluster.time.schedule(ms, () => void cluster.startExecutor());
}

function compareEnds(definitions: readonly RandomDefinition[], calm: Run, stormy: Run): string[] {
  const main = definitions.at(-1);
  const expected = endOf(calm, calm.roots[0] ?? '');
  const differences: string[] = [];
  for (const root of stormy.roots) {
    const found = endOf(stormy, root);
    if (found.end !== expected.end) differences.push(`end: ${root} ${found.end}, without faults ${expected.end}`);
    else if (main?.sameEnd === 'whole')
      for (const [path, value] of Object.entries(expected.operators))
        if (found.operators[path] !== value)
          differences.push(`end: ${root} ${path} ${found.operators[path]}, without faults ${value}`);
  }
  return differences;
}

function endOf(run: Run, stream: string): { end: string | null; operators: Record<string, string> } {
  const state: ProcessState = run.cluster.checker.streams.get(stream)?.state ?? initialState(stream);
  const operators: Record<string, string> = {};
  for (const [path, { status, output, outcome, type }] of state.operators) {
    if (path.endsWith('/verify')) continue;
    const shown = type === 'delay' || type === 'user-task' ? null : (output ?? null);
    operators[path] = JSON.stringify({ status, outcome, output: shown }, (name, value: unknown) =>
      name === 'happened' ? undefined : value,
    );
  }
  return { end: state.end, operators };
}
