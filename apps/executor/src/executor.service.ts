import { hostname } from 'node:os';
import { artifactAccess, PostgresArtifactStore } from '@baton/artifacts';
import {
  type BusTransport,
  EmbeddedTransport,
  KafkaTargets,
  KafkaTransport,
  kafkaClient,
  PostgresDeadLetters,
  PostgresInbox,
} from '@baton/bus';
import { Catalogue } from '@baton/catalogue';
import {
  Appender,
  awaitSessionMode,
  CommandHandler,
  clusterTail,
  openPostgresCell,
  type PostgresCell,
  uuidv7,
  waitForSchema,
} from '@baton/event-log';
import { loadOperators, type OperatorRegistry } from '@baton/operators';
import { builtInOperators, type OperatorDescriptor } from '@baton/process';
import { Keyring } from '@baton/security';
import { knownTraces, type Logger, type Metrics, meterOver, outgoingTraceparent } from '@baton/telemetry';
import { wait } from './clock/clock.port.js';
import { SystemClock } from './clock/system.clock.js';
import type { ExecutorConfig } from './config.js';
import { planCrash } from './crash/crash-points.js';
import { DefinitionCache } from './definitions/definition.cache.js';
import { EffectRunner } from './effects/effect.runner.js';
import { defaultSettings, type ExecutorPorts, type ExecutorSettings } from './executor.ports.js';
import { IncarnationHost } from './incarnation.host.js';
import { CatalogueDefinitions } from './wiring/catalogue.definitions.js';
import { CatalogueSecrets } from './wiring/catalogue.secrets.js';

/** The executor over PostgreSQL, wired. */
export class ExecutorService {
  readonly clock = new SystemClock();
  private readonly cell: PostgresCell;
  private catalogue: Catalogue | null = null;
  private registry: OperatorRegistry | null = null;
  private host: IncarnationHost | null = null;
  /** What `publish` writes to. */
  private readonly kafka: KafkaTargets;
  private stopListening: () => void = () => undefined;
  private readonly ending = new AbortController();

  constructor(
    private readonly config: ExecutorConfig,
    private readonly logger: Logger,
    private readonly metrics: Metrics,
  ) {
    this.cell = openPostgresCell({
      url: config.databaseUrl,
      cell: config.cell,
      application: 'baton executor',
      driverConnections: config.lanes * 2 + 2,
      serviceConnections: 2,
      notify: config.notify,
      onError: (error) => logger.warn({ error: error.message }, 'a connection to the database broke'),
    });
    const clientId = `baton-executor-${process.pid}`;
    this.kafka = new KafkaTargets({ cluster: config.kafka && { ...config.kafka, clientId }, clientId, logger });
    planCrash(config.crashPlan);
  }

  /** Joins when the schema is there; `onIncarnation` hears of each incarnation of this program. */
  async start(port: number, onIncarnation: (id: string) => void): Promise<void> {
    const { config, cell, logger } = this;
    const keyring = Keyring.fromText(config.secretKey);
    this.registry = await loadOperators({ ...config.operators, kafka: this.kafka });
    await waitForSchema(cell.pools.service, { signal: this.ending.signal });
    await awaitSessionMode(config.databaseUrl, this.ending.signal);
    this.catalogue = await this.openCatalogue(keyring);
    await this.catalogue.settings.start();
    const host = new IncarnationHost(
      this.ports(this.catalogue, this.registry, keyring),
      this.settings(this.catalogue),
      {
        host: hostname(),
        pid: process.pid,
        version: process.env['npm_package_version'] ?? '0',
        http: `http://${config.host}:${port}`,
      },
      onIncarnation,
    );
    this.host = host;
    this.stopListening = cell.wakeUp.listen((topic, detail) => host.hint(topic, detail));
    cell.wakeUp.start().catch((error: unknown) => {
      logger.warn({ error: String(error) }, 'no hints from the database; polls make up for them');
    });
    await host.start();
  }

  /** The bus, for hints only: with it gone the same processes end the same. */
  bus(): BusTransport {
    const { config, cell, logger } = this;
    const { tail, wakeUp } = cell;
    const shared = {
      inbox: new PostgresInbox(cell.pools.service),
      deadLetters: new PostgresDeadLetters(cell.pools.service),
      logger,
      meter: meterOver(this.metrics.meter),
      // Whoever appends what an executor should know of says so by NOTIFY, too: while that is heard, the same hints need
      // not be looked for in the log (up to 50 reads a second, each through everything that was appended since), nor be
      // taken out of the topic that holds every event (a millisecond of CPU for each process of ten operators).
      isWanted: () => !wakeUp.isLive,
    };
    if (config.kafka === null)
      return new EmbeddedTransport({
        ...shared,
        tail,
        clusterTail: clusterTail(cell.pools.service, cell.cell),
        wakeUp,
        pollMs: () => this.catalogue?.settings.get('polling.tailMs') ?? 250,
      });
    const kafka = kafkaClient({ ...config.kafka, clientId: `baton-executor-${process.pid}` }, logger);
    return new KafkaTransport({ ...shared, kafka, topics: config.kafka.topics });
  }

  hint(topic: 'runnable' | 'owned' | 'cluster', detail: string): void {
    this.host?.hint(topic, detail, 'bus');
  }

  noteDue(dueAt: string): void {
    this.host?.noteDue(dueAt);
  }

  isReady(): boolean {
    return this.host?.current()?.lease.holds() === true;
  }

  renderMetrics(): Promise<string> {
    return this.metrics.render();
  }

  get metricsType(): string {
    return this.metrics.contentType;
  }

  async stop(): Promise<void> {
    this.ending.abort(new Error('The executor is stopping.'));
    await this.host?.close();
    this.stopListening();
    await this.registry?.close();
    await this.kafka.close();
    await this.catalogue?.close();
    await this.cell.close();
  }

  private async openCatalogue(keyring: Keyring): Promise<Catalogue> {
    const onError = (error: unknown): void =>
      this.logger.warn({ error: String(error) }, 'the catalogue is out of reach');
    const url = this.config.databaseUrl;
    const catalogue = await Catalogue.open({
      url,
      keyring,
      application: 'baton executor catalogue',
      connections: 2,
      onError,
    });
    while (!(await catalogue.isMigrated())) {
      this.ending.signal.throwIfAborted();
      await wait(this.clock, 200);
    }
    return catalogue;
  }

  private settings(catalogue: Catalogue): ExecutorSettings {
    const { config } = this;
    const leaseMs = config.leaseMs ?? catalogue.settings.get('lease.executorMs');
    const heartbeatMs = config.heartbeatMs ?? catalogue.settings.get('lease.heartbeatMs');
    return {
      ...defaultSettings,
      leaseMs,
      // Three heartbeats fit into a lease, however the two were set.
      heartbeatMs: Math.min(heartbeatMs, Math.floor(leaseMs / 3)),
      pollMs: config.pollMs ?? catalogue.settings.get('polling.claimMs'),
      graceMs: config.graceMs,
      capacity: config.capacity,
      quarantineDeaths: () => config.quarantineDeaths ?? catalogue.settings.get('quarantine.deaths'),
      snapshotEvery: catalogue.settings.get('snapshot.everyEvents'),
    };
  }

  private ports(catalogue: Catalogue, registry: OperatorRegistry, keyring: Keyring): ExecutorPorts {
    const { cell, config, logger, clock } = this;
    const meter = meterOver(this.metrics.meter);
    const artifacts = artifactAccess(new PostgresArtifactStore(cell.pools.service));
    const now = (): number => this.host?.current()?.databaseClock.now() ?? Date.now();
    const commands = new CommandHandler({ log: cell.log, now, wakeUp: cell.wakeUp });
    const descriptors = ownDescriptors(registry);
    const source = new CatalogueDefinitions(catalogue.definitions, descriptors, now);
    const cache = new DefinitionCache(source, clock, logger);
    return {
      clock,
      random: Math.random,
      newId: uuidv7,
      log: cell.log,
      newAppender: () =>
        new Appender({
          log: cell.log,
          lanes: config.lanes,
          onBatch: ({ appends, ms }) => {
            meter.record('baton.append.duration', ms / 1000);
            meter.record('baton.append.batch-size', appends);
            meter.count('baton.append.streams', appends);
            meter.count('baton.append.commits');
          },
          onDoubt: (appends, error) => logger.info({ appends, error: error.message }, 'appends in doubt'),
        }),
      claims: cell.claims,
      registry: cell.executors,
      snapshots: cell.snapshots,
      definitions: {
        load: (name, version) => cache.load(name, version),
        requestChild: (child, parent) =>
          source.requestChild(child, parent, (name, version) => cache.load(name, version)),
      },
      effects: new EffectRunner(
        {
          clock,
          operators: registry,
          secrets: new CatalogueSecrets(catalogue.environments, keyring),
          artifacts,
          output: () => undefined,
          logger,
          meter,
        },
        this.settings(catalogue),
      ),
      commands: {
        handle: (stream, command, causation) =>
          commands.handle(stream, command, causation === undefined ? {} : { causation }),
        markTold: (child) => cell.children.markTold(child),
      },
      wakeUp: cell.wakeUp,
      artifacts,
      logger,
      meter,
      traceparent: (process, path, attempt) => {
        const traceparent = outgoingTraceparent(config.traces, process, path, attempt);
        knownTraces.note(process.id, traceparent);
        return traceparent;
      },
    };
  }
}

/** Of the types that are loaded, those that Baton does not bring itself. */
function ownDescriptors(registry: OperatorRegistry): OperatorDescriptor[] {
  const builtIn = new Set(builtInOperators.map((descriptor) => descriptor.type));
  return registry
    .names()
    .map((name) => registry.get(name)?.descriptor)
    .filter((descriptor) => descriptor !== undefined)
    .filter((descriptor) => !builtIn.has(descriptor.type));
}
