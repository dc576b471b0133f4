import { BusOperations, type BusTransport } from '@baton/bus';
import { Catalogue } from '@baton/catalogue';
import {
  CellIds,
  CommandHandler,
  createLogPool,
  PostgresEventLog,
  PostgresExecutorRegistry,
  PostgresMessageStore,
  PostgresProcessViews,
  PostgresRequestStore,
  PostgresTail,
  PostgresTopicStore,
  PostgresWakeUp,
  PostgresWorkLists,
  uuidv7,
} from '@baton/event-log';
import { checkInputs, compile, type OperatorDescriptor } from '@baton/process';
import { ApiTokenVerifier, Keyring } from '@baton/security';
import type { Logger, Metrics } from '@baton/telemetry';
import { AuditRetention } from './audit.retention.js';
import { intakeBus } from './bus/intake.bus.js';
import { RequestTopic } from './bus/request.topic.js';
import { AuditFindings } from './cluster/audit.findings.js';
import type { IntakeConfig } from './config.js';
import { DatabaseClock } from './database.clock.js';
import { DefinitionLibrary } from './definitions/definition.library.js';
import { HealthProbe } from './health/health.probe.js';
import { IntakeMetrics } from './intake.metrics.js';
import type { IntakeServices } from './intake.services.js';
import { MessageMatcher } from './messages/message.matcher.js';
import { MessageSender } from './messages/message.sender.js';
import { LiveStreams } from './processes/live.streams.js';
import { ProcessReader } from './processes/process.reader.js';
import { ViewsAge } from './processes/views.age.js';
import { WhyExplainer } from './processes/why.explainer.js';
import { CreationBatcher } from './requests/creation.batcher.js';
import { PostgresGivenAnswers } from './requests/given.answers.js';
import { inputErrors } from './requests/input.errors.js';
import { RequestAcceptor } from './requests/request.acceptor.js';
import { RequestChecker } from './requests/request.checker.js';

export interface IntakeParts {
  services: IntakeServices;
  bus: BusTransport;
  metrics: IntakeMetrics;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Builds what the controllers work with, over PostgreSQL. Nothing listens and nothing ticks before `start`. */
export async function wireIntake(
  config: Pick<IntakeConfig, 'databaseUrl' | 'cell' | 'secretKey' | 'notify' | 'connections' | 'kafka'>,
  given: { logger: Logger; metrics: Metrics; operators: readonly OperatorDescriptor[] },
): Promise<IntakeParts> {
  const { logger } = given;
  const onError = (error: unknown) => logger.warn({ err: error }, 'a connection or a look at the database failed');
  const url = config.databaseUrl;
  const keyring = Keyring.fromText(config.secretKey);
  // First: when the database is away, this is where it shows, with nothing to be closed again.
  const catalogue = await Catalogue.open({ url, keyring, application: 'baton-intake-catalogue', onError });
  const pool = createLogPool({ url, application: 'baton-intake', max: config.connections, onError });
  // Health and the executors' list have connections of their own: a busy pool is not a dead database.
  const probePool = createLogPool({ url, application: 'baton-intake-health', max: 2, onError });
  const { cell } = config;
  const log = new PostgresEventLog(pool, cell);
  const clock = new DatabaseClock(probePool, onError);
  const wakeUp = new PostgresWakeUp(url, { enabled: config.notify });
  const commands = new CommandHandler({ log, now: () => clock.now(), wakeUp });
  // One statement a batch, two under way at most: on connections of their own it is planned twice, not at each one.
  const requestPool = createLogPool({ url, application: 'baton-intake-requests', use: 'driver', max: 2, onError });
  const requestStore = new PostgresRequestStore(requestPool, log);
  const { operators } = given;
  const compiler = { compile: (text: string, version: number) => compile(text, { version, operators }) };
  const topics = new PostgresTopicStore(pool, cell);
  const definitions = new DefinitionLibrary(catalogue.definitions, compiler, {
    isThere: config.kafka !== null,
    watch: (found) => topics.watch(found),
  });
  const inputBytes = () => catalogue.settings.get('limits.inputBytes');
  const checker = new RequestChecker(definitions, catalogue.environments, inputErrors(checkInputs), { inputBytes });
  const batcher = new CreationBatcher(requestStore);
  const executors = new PostgresExecutorRegistry(probePool, url);
  const pollMs = () => catalogue.settings.get('polling.streamMs');
  const live = new LiveStreams({ log, wakeUp, pollMs, onError });
  const keepDays = () => catalogue.settings.get('retention.messageDays');
  const keyed = new MessageMatcher(new PostgresMessageStore(pool, cell), commands, keepDays);
  const tail = new PostgresTail(pool, cell);
  const age = new ViewsAge(tail, clock);
  const tailMs = () => catalogue.settings.get('polling.tailMs');
  const { kafka } = config;
  const bus = intakeBus({ kafka, pool, tail, wakeUp, logger, metrics: given.metrics, pollMs: tailMs, live });
  const views = new PostgresProcessViews(pool, cell);
  const requests = new RequestAcceptor(checker, batcher, new PostgresGivenAnswers(pool), clock, wakeUp, cell);
  const topic =
    kafka &&
    new RequestTopic({
      kafka,
      pool,
      logger,
      metrics: given.metrics,
      requests,
      tokens: new ApiTokenVerifier(catalogue.tokens, () => Date.now()),
      account: () => catalogue.settings.get('bus.requestAccount'),
    });
  const services: IntakeServices = {
    catalogue,
    log,
    commands,
    wakeUp,
    definitions,
    requests,
    processes: new ProcessReader(log),
    views,
    live,
    why: new WhyExplainer(log, executors, clock),
    waits: new PostgresWorkLists(pool, cell),
    messages: new MessageSender(commands, keyed),
    executors,
    health: new HealthProbe([
      { name: 'database', vital: true, run: () => probePool.query('select 1').then(() => undefined) },
      { name: 'catalogue', vital: true, run: () => catalogue.ping() },
      ...(topic
        ? [{ name: 'requests by topic', vital: false, run: () => told(topic.healthy, 'Kafka has not been heard of') }]
        : []),
    ]),
    metrics: { text: () => given.metrics.render() },
    topicPrefix: kafka?.topics.prefix ?? '',
    viewsAge: () => age.ms(),
    bus: new BusOperations(pool),
    findings: new AuditFindings(pool, new CellIds(cell)),
    rebuild: {
      async request(by) {
        const text = "insert into log_job (id, kind, requested_by) values ($1, 'rebuild', $2) returning requested_at";
        const { rows } = await pool.query<{ requested_at: Date }>(text, [uuidv7(), by]);
        wakeUp.notify('cluster', 'rebuild');
        return { requestedAt: rows[0]!.requested_at.toISOString() };
      },
    },
  };
  const auditDays = () => catalogue.settings.get('retention.auditDays');
  const housekeeping = new AuditRetention(catalogue.audit, auditDays, onError);
  return {
    services,
    bus,
    metrics: new IntakeMetrics(given.metrics, views, onError),
    async start() {
      await Promise.all([clock.start(), catalogue.settings.start(), wakeUp.start()]);
      live.start();
      housekeeping.start();
      topic?.start();
    },
    async stop() {
      await topic?.stop();
      housekeeping.stop();
      live.stop();
      clock.stop();
      await wakeUp.stop();
      await catalogue.close();
      await Promise.all([pool.end(), probePool.end(), requestPool.end()]);
    },
  };
}

async function told(isWell: boolean, otherwise: string): Promise<void> {
  if (!isWell) throw new Error(otherwise);
}
