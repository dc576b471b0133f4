import { type Append, Appender, CommandHandler, type EventLog, InDoubt, MemoryCell } from '@baton/event-log';
import {
  type ChildToSpawn,
  type CompiledDefinition,
  compile,
  type OperatorError,
  type ProcessEvent,
  type ProcessEventData,
} from '@baton/process';
import { wait } from '../../apps/executor/src/clock/clock.port.js';
import { EffectRunner } from '../../apps/executor/src/effects/effect.runner.js';
import {
  defaultSettings,
  type ExecutorPorts,
  type ExecutorSettings,
  type Logger,
} from '../../apps/executor/src/executor.ports.js';
import { IncarnationHost } from '../../apps/executor/src/incarnation.host.js';
import { Checker } from './checker.js';
import type { PlantedFault } from './planted.faults.js';
import type { RandomDefinition } from './random.graph.js';
import type { SeededRandom } from './seeded.random.js';
import { checkWorkDescriptor, simulatedOperators, World, workDescriptor } from './simulated.operators.js';
import { UnreliableWire, type WireFaults } from './unreliable.wire.js';
import { SimulatedNode, VirtualTime } from './virtual.time.js';

export interface ClusterOptions {
  random: SeededRandom;
  definitions: readonly RandomDefinition[];
  wire: () => WireFaults;
  breaks: () => number;
  settings: Partial<ExecutorSettings>;
  planted: PlantedFault | null;
  /** Hints reach nobody. */
  withoutHints: boolean;
  trace: ((line: string) => void) | null;
}

export interface SimulatedExecutor {
  node: SimulatedNode;
  host: IncarnationHost;
  incarnations: string[];
}

/** The real executors over the log in memory: everything around them is simulated, everything in them is the product's. */
export class SimulatedCluster {
  readonly time: VirtualTime;
  readonly cell: MemoryCell;
  readonly checker: Checker;
  readonly world = new World();
  readonly wire: UnreliableWire;
  readonly executors: SimulatedExecutor[] = [];
  readonly definitions = new Map<string, CompiledDefinition>();
  /** Right after the database executed an append, before its answer is on the way: the worst moment for a fault. */
  onAppended: (node: SimulatedNode, append: Append) => void = () => undefined;
  private ids = 0;
  private nodes = 0;

  constructor(private readonly options: ClusterOptions) {
    const { random } = options;
    this.time = new VirtualTime(random.fork());
    this.cell = new MemoryCell({
      now: () => this.time.current(),
      random: () => random.next(),
      monotonicMs: () => this.time.current(),
      cell: 'c1',
    });
    this.checker = new Checker(() => this.time.current());
    this.wire = new UnreliableWire(this.time, random.fork(), options.wire);
    for (const definition of options.definitions) this.definitions.set(definition.name, compiled(definition));
  }

  newId(): string {
    this.ids += 1;
    return `01900000-0000-7000-8000-${this.ids.toString(16).padStart(12, '0')}`;
  }

  newNode(): SimulatedNode {
    this.nodes += 1;
    return new SimulatedNode(`n${this.nodes}`, this.time, this.options.random.fork());
  }

  startExecutor(): SimulatedExecutor {
    const node = this.newNode();
    const incarnations: string[] = [];
    const host = new IncarnationHost(
      this.ports(node, incarnations),
      { ...defaultSettings, ...this.options.settings },
      { host: node.name, pid: 1, version: '0' },
      () => undefined,
    );
    const executor = { node, host, incarnations };
    this.executors.push(executor);
    host.start().catch((error: unknown) => this.checker.violate('bug', String(error)));
    return executor;
  }

  /** The program is gone; its sessions with it. */
  kill(executor: SimulatedExecutor, isSeen: boolean): void {
    executor.node.kill();
    this.executors.splice(this.executors.indexOf(executor), 1);
    for (const id of executor.incarnations) {
      this.cell.executors.dropLock(id);
      if (isSeen) this.ignore(this.cell.executors.recordExit(id));
    }
  }

  /** A client of the log on a node of its own. */
  client(): { node: SimulatedNode; commands: CommandHandler } {
    const node = this.newNode();
    return { node, commands: this.commands(node, this.log(node)) };
  }

  log(node: SimulatedNode): EventLog {
    const { wire, cell } = this;
    const log: EventLog = {
      append: async () => {
        throw new Error('not used');
      },
      appendEach: async (appends) => {
        try {
          return await wire.call(node, async () => {
            const outcomes = await cell.log.appendEach(appends);
            outcomes.forEach((outcome, index) => {
              const append = appends[index];
              if (append === undefined || outcome.status !== 'appended') return;
              this.options.trace?.(
                `${this.time.current()} ${node.name} ${append.stream.slice(-4)} v${outcome.version} ${append.events
                  .map(({ event }) => describe(event))
                  .join(', ')}`,
              );
              this.checker.appended(append, outcome.version);
              this.onAppended(node, append);
            });
            return outcomes;
          });
        } catch (error) {
          return appends.map(() => ({ status: 'in-doubt', error: new InDoubt(String(error)) }));
        }
      },
      read: (stream, after, limit) => wire.call(node, () => cell.log.read(stream, after, limit)),
      readToFold: (stream, after, limit) => wire.call(node, () => cell.log.readToFold(stream, after, limit)),
      readWholeToFold: (streams) => wire.call(node, () => cell.log.readWholeToFold(streams)),
      readMany: (streams) => wire.call(node, () => cell.log.readMany(streams)),
      heads: (streams) => wire.call(node, () => cell.log.heads(streams)),
    };
    return this.options.planted?.log?.(log, cell) ?? log;
  }

  private commands(node: SimulatedNode, log: EventLog): CommandHandler {
    const { random } = this.options;
    return new CommandHandler({
      log,
      now: () => this.time.current(),
      wakeUp: { notify: (topic, detail) => this.notify(node, topic, detail ?? '') },
      pause: () => wait(node, random.between(5, 500)),
      newId: () => this.newId(),
    });
  }

  private notify(from: SimulatedNode, topic: string, detail: string): void {
    if (this.options.withoutHints || !from.isAlive || this.options.random.chance(0.1)) return;
    for (const { node, host } of this.executors)
      this.time.schedule(this.options.random.between(0, 5), () => node.reach(() => host.hint(topic, detail)));
  }

  private ports(node: SimulatedNode, incarnations: string[]): ExecutorPorts {
    const { random, planted } = this.options;
    const { wire, cell } = this;
    const log = this.log(node);
    const own = random.fork();
    const commands = this.commands(node, log);
    const ports: ExecutorPorts = {
      clock: node,
      random: () => own.next(),
      newId: () => {
        const id = this.newId();
        return id;
      },
      log,
      newAppender: () => {
        const appender = new Appender({
          log,
          lanes: 2,
          // Its few processes are to overtake each other as hundreds would.
          worthAnother: 1,
          schedule: (flush) => void node.after(0, flush),
          pause: () => wait(node, own.between(10, 300)),
          monotonicMs: () => node.monotonic(),
        });
        return planted?.appender?.(appender, cell) ?? appender;
      },
      claims: {
        lookForRunnable: (limit, look) => wire.call(node, () => cell.claims.lookForRunnable(limit, look)),
        ownedBy: (id) => wire.call(node, () => cell.claims.ownedBy(id)),
        lookForOrphans: (limit, except) => wire.call(node, () => cell.claims.lookForOrphans(limit, except)),
        nextDueAt: () => wire.call(node, () => cell.claims.nextDueAt()),
      },
      registry: {
        join: async (row) => {
          incarnations.push(row.id);
          await wire.call(node, () => cell.executors.join(row));
        },
        heartbeat: (id, report) => wire.call(node, () => cell.executors.heartbeat(id, report)),
        holdLock: (id) => wire.call(node, () => cell.executors.holdLock(id)),
        detectLost: (id, judges) => wire.call(node, () => cell.executors.detectLost(id, judges)),
        suspicionCountsInMs: (id) => cell.executors.suspicionCountsInMs(id),
        recordExit: (id) => wire.call(node, () => cell.executors.recordExit(id)),
        leave: (id) => wire.call(node, () => cell.executors.leave(id)),
        list: () => wire.call(node, () => cell.executors.list()),
        provenOver: (ids) => wire.call(node, () => cell.executors.provenOver(ids)),
      },
      snapshots: {
        load: (stream, shape) => wire.call(node, () => cell.snapshots.load(stream, shape)),
        save: (stream, shape, version, text) =>
          wire.call(node, () => cell.snapshots.save(stream, shape, version, text)),
      },
      definitions: {
        load: async (name) => this.definitions.get(name) ?? null,
        requestChild: async (child) => this.requestChild(child),
      },
      effects: new EffectRunner(
        {
          clock: node,
          operators: simulatedOperators({
            world: this.world,
            checker: this.checker,
            time: this.time,
            node,
            random: own,
            incarnation: () => incarnations.at(-1) ?? '',
            breaks: this.options.breaks,
          }),
          secrets: {
            secret: async () => '',
            connection: async () => ({ type: '', url: '' }),
            seal: (plain) => plain,
            open: (sealed) => sealed,
          },
          artifacts: { put: async () => ({ digest: '', size: 0 }) },
          output: () => undefined,
          logger: this.logger(node),
          meter: { count: () => undefined, record: () => undefined },
        },
        { leaseMs: this.options.settings.leaseMs ?? defaultSettings.leaseMs },
      ),
      commands: {
        handle: async (stream, command, causation) => commands.handle(stream, command, causation ? { causation } : {}),
        markTold: (child) =>
          wire.call(node, async () => {
            const row = cell.state.streams.get(child)?.child;
            if (row) row.told = true;
          }),
      },
      wakeUp: { notify: (topic, detail) => this.notify(node, topic, detail ?? '') },
      artifacts: { load: async () => null, put: async () => ({ digest: '', size: 0 }) },
      logger: this.logger(node),
      meter: { count: () => undefined, record: () => undefined },
      onCommitted: (stream, version, state) => this.checker.live(stream, version, state),
    };
    return planted?.ports?.(ports, cell) ?? ports;
  }

  private requestChild(child: ChildToSpawn): { data: ProcessEventData['ProcessRequested'] } | { error: OperatorError } {
    const definition = this.definitions.get(child.definition);
    if (definition === undefined)
      return { error: { code: 'no-definition', message: `there is no definition ${child.definition}` } };
    const { name, version, digest } = definition;
    return { data: { ...child.request, definition: { name, version, digest }, inputs: child.inputs } };
  }

  private logger(node: SimulatedNode): Logger {
    const { trace } = this.options;
    const line = (level: string) => (fields: object, message: string) => {
      trace?.(`${this.time.current()} ${node.name} ${level} ${message} ${JSON.stringify(fields)}`);
      if (level === 'error') this.checker.violate('bug', `${message} ${JSON.stringify(fields).slice(0, 1500)}`);
    };
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }

  private ignore(promise: Promise<unknown>): void {
    promise.catch((error: unknown) => this.checker.violate('bug', String(error)));
  }
}

function describe(event: ProcessEvent): string {
  const data = event.data as { path?: string; attempt?: number };
  return `${event.type}${data.path === undefined ? '' : ` ${data.path}`}${data.attempt === undefined ? '' : `#${data.attempt}`}`;
}

const known = new WeakMap<RandomDefinition, CompiledDefinition>();

/** Compiled once for the runs with and without faults. */
function compiled(definition: RandomDefinition): CompiledDefinition {
  const found = known.get(definition);
  if (found !== undefined) return found;
  const text = JSON.stringify(definition.source);
  const result = compile(text, { version: 1, operators: [workDescriptor, checkWorkDescriptor] });
  if ('faults' in result)
    throw new Error(`${result.faults.map((fault) => `${fault.path}: ${fault.message}`).join('\n')}\n${text}`);
  known.set(definition, result.definition);
  return result.definition;
}
