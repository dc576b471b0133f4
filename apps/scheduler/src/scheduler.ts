import { PostgresArtifactStore } from '@baton/artifacts';
import {
  type BusTransport,
  EmbeddedTransport,
  KafkaTransport,
  kafkaClient,
  Lease,
  PostgresDeadLetters,
  PostgresInbox,
  PostgresPublisherStore,
  Publisher,
  publisherSubscriber,
  Republisher,
  releaseLeases,
  StatusTeller,
} from '@baton/bus';
import { catalogueDataSource, SettingCache, SettingRepository } from '@baton/catalogue';
import {
  awaitSessionMode,
  CellIds,
  CommandHandler,
  clusterTail,
  createLogPool,
  PostgresClusterEvents,
  PostgresEventLog,
  PostgresMessageStore,
  PostgresProcessViews,
  PostgresRequestStore,
  PostgresTail,
  PostgresTopicStore,
  PostgresTraceTail,
  PostgresWakeUp,
  uuidv7,
  waitForSchema,
} from '@baton/event-log';
import { type Metrics, meterOver } from '@baton/telemetry';
import { Admission } from './admission/admission.js';
import { QueueStore } from './admission/queue.store.js';
import { SlotStore } from './admission/slot.store.js';
import { SelfAudit } from './audit/self-audit.js';
import type { SchedulerConfig } from './config.js';
import { DatabaseTime } from './database-time.js';
import { Duty, type DutyOptions, type Way } from './duty/duty.js';
import { ProcessViewsFeeder, viewsSubscriber } from './feeder/process-views.feeder.js';
import { ClusterGauges } from './gauges/cluster.gauges.js';
import { LogJobRunner } from './rebuild/log-job.runner.js';
import { ChildEndScan } from './scans/child-end.scan.js';
import { ExpiryScan } from './scans/expiry.scan.js';
import { MessageScan } from './scans/message.scan.js';
import { type Logger, systemClock } from './scheduler.ports.js';
import { TopicRecords } from './topics/topic.records.js';
import { tracesSubscriber } from './tracing/trace-exporter.js';
import { originsIn, TracedTail } from './tracing/traced-tail.js';
import { Tracing, tracesEveryMs } from './tracing/tracing.js';

const admissionBatch = 500;
/** While many come: with fewer the first is admitted at once. */
const admitTogetherMs = 20;
const scanEveryMs = 2_000;
const expiryEveryMs = 60_000;
const inboxDays = 14;
const feedBatch = 2_000;
const publishBatch = 1_000;
/** While events come, the tail is looked at this often: what was not settled at the last hint is a moment later. */
const publishBusyMs = 25;
const busStatusMs = 5_000;
const auditBatch = 1_000;
const leaseMs = 10_000;
/** Between two looks at a lease that is held. */
const leaseTrustedMs = 2_500;
const takeoverMs = 30_000;

/**
 * The scheduler of one cell, wired: its duties, each a loop of its own, and what they share.
 * Several schedulers may run: every duty is idempotent, or under a lease.
 */
export class Scheduler {
  /** Under this name it holds leases. */
  readonly id = `scheduler-${uuidv7()}`;
  readonly wakeUp: PostgresWakeUp;
  readonly slots: SlotStore;
  /** For the subscribers that Nest wires. */
  readonly bus: BusTransport;
  #hints: { readonly healthy: boolean } | null = null;
  readonly #publisher: Publisher | null;
  readonly #pool: ReturnType<typeof createLogPool>;
  readonly #admissionPool: ReturnType<typeof createLogPool>;
  readonly #settings: SettingCache;
  readonly #settingSource: ReturnType<typeof catalogueDataSource>;
  readonly #time: DatabaseTime;
  readonly #duties: Duty[];
  readonly #admission: Duty;
  readonly #feeder: Duty;
  readonly #jobs: Duty;
  readonly #publishing: Duty | null;
  readonly #tracing: Tracing | null;
  /** Null without Kafka: then there are no topics. */
  readonly #topics: TopicRecords | null;
  readonly #freeing: Duty;
  readonly #matching: Duty;
  readonly #ended = new Set<string>();
  readonly #stop = new AbortController();
  #stopListening: () => void = () => undefined;

  constructor(
    private readonly config: SchedulerConfig,
    private readonly logger: Logger,
    private readonly metrics: Pick<Metrics, 'meter' | 'render' | 'contentType'>,
  ) {
    const onError = (error: unknown) => logger.warn({ err: error }, 'the database is out of reach');
    const meter = meterOver(metrics.meter, { onError });
    this.#pool = createLogPool({
      url: config.databaseUrl,
      application: 'baton scheduler',
      max: config.connections,
      onError,
    });
    // What admission asks is planned once for each connection, and by the keys, however small the tables were then.
    this.#admissionPool = createLogPool({
      url: config.databaseUrl,
      application: 'baton scheduler admission',
      use: 'driver',
      max: 1,
      onError,
    });
    this.#settingSource = catalogueDataSource({
      url: config.databaseUrl,
      application: 'baton scheduler settings',
      connections: 1,
      onError,
    });
    this.#settings = new SettingCache(new SettingRepository(this.#settingSource), (error) =>
      logger.warn({ err: error }, 'the cluster settings could not be read; the last known ones hold'),
    );
    this.#time = new DatabaseTime(this.#pool);
    this.wakeUp = new PostgresWakeUp(config.databaseUrl, { enabled: config.notify });
    const ids = new CellIds(config.cell);
    const log = new PostgresEventLog(this.#pool, config.cell);
    const commands = new CommandHandler({ log, now: () => this.#time.now(), wakeUp: this.wakeUp });
    this.slots = new SlotStore(this.#pool, ids);
    const admission = new Admission({
      queue: new QueueStore(this.#admissionPool, ids),
      slots: this.slots,
      log: new PostgresEventLog(this.#admissionPool, config.cell),
      commands,
      wakeUp: this.wakeUp,
      maxRunning: () => this.#settings.get('admission.maxRunning'),
      newId: uuidv7,
      batch: admissionBatch,
      logger,
      meter,
    });
    const children = new ChildEndScan({ pool: this.#pool, ids, commands, logger, meter });
    const messages = new PostgresMessageStore(this.#pool, config.cell);
    const matching = new MessageScan({ messages, commands, logger, meter });
    const inbox = new PostgresInbox(this.#pool);
    const requests = new PostgresRequestStore(this.#pool, log);
    const artifacts = new PostgresArtifactStore(this.#pool);
    const records = new PostgresTopicStore(this.#pool, config.cell);
    const deadLetters = new PostgresDeadLetters(this.#pool);
    const expiry = new ExpiryScan({
      messages,
      records,
      requests,
      inbox,
      deadLetters,
      clusterEvents: new PostgresClusterEvents(this.#pool),
      artifacts,
      inboxDays,
      deadLetterDays: () => this.#settings.get('retention.deadLetterDays'),
      clusterEventDays: () => this.#settings.get('retention.clusterEventDays'),
    });
    const tail = new PostgresTail(this.#pool, config.cell);
    // Reading the tail is what the bus is made of: a test that cuts the polls for work does not cut it.
    const tailMs = () => Math.min(config.pollMs ?? Number.POSITIVE_INFINITY, this.#settings.get('polling.tailMs'));
    const lease = (name: string) => new Lease(this.#pool, name, this.id, leaseMs, leaseTrustedMs);
    const feeder = new ProcessViewsFeeder({
      tail,
      views: new PostgresProcessViews(this.#pool, config.cell),
      lease: lease('process-views'),
      batch: feedBatch,
      meter,
    });
    const audit = new SelfAudit({
      pool: this.#pool,
      ids,
      log,
      commands,
      wakeUp: this.wakeUp,
      logger,
      meter,
      batch: auditBatch,
      takeoverMs,
    });
    const auditLease = lease('self-audit');
    const kafka = config.kafka && kafkaClient({ ...config.kafka, clientId: this.id }, logger);
    const topics = config.kafka?.topics ?? {};
    const store = new PostgresPublisherStore(this.#pool, config.cell);
    const jobs = new LogJobRunner({
      pool: this.#pool,
      cell: config.cell,
      lease: lease('log-jobs'),
      logger,
      republisher: kafka && new Republisher({ kafka, topics, log, tail, store }),
    });
    this.#publisher =
      kafka &&
      new Publisher({
        kafka,
        tail: config.traces?.exported
          ? new TracedTail({ tail, origins: originsIn(this.#pool, ids), sampler: config.traces.sampler })
          : tail,
        clusterTail: clusterTail(this.#pool, config.cell),
        store,
        topics,
        batch: publishBatch,
        meter,
        logger,
      });
    // Requests, ends and receivers are told by NOTIFY: while that is heard, nothing reads the log for the same hints (up to
    // 50 times a second, each through everything that was appended since), or takes apart the topic of every event.
    const isWanted = () => !this.wakeUp.isLive;
    const hinted = { inbox, deadLetters, logger, meter, isWanted };
    this.bus = kafka
      ? new KafkaTransport({ ...hinted, kafka, topics, log })
      : new EmbeddedTransport({ ...hinted, tail, wakeUp: this.wakeUp, pollMs: tailMs });

    this.#topics =
      config.kafka &&
      new TopicRecords({
        kafka: config.kafka,
        store: records,
        rows: deadLetters,
        commands,
        lease: lease('topic-records'),
        keepMs: () => this.#settings.get('retention.messageDays') * 86_400_000,
        kept: () => receiving?.wake(),
        logger,
        meter,
      });
    const topicRecords = this.#topics;

    const duty = (name: string, everyMs: () => number, run: DutyOptions['run']) =>
      new Duty({ name, run, everyMs, clock: systemClock, logger, meter });
    const scheduleMs = () => config.pollMs ?? this.#settings.get('polling.scheduleMs');
    this.#admission = new Duty({
      name: 'admission',
      run: (_, way) => admission.round(way),
      everyMs: scheduleMs,
      // Each round costs a look, a commit and a hint, which makes every executor look and commit in turn.
      gatherMs: () => (admission.isBusy ? admitTogetherMs : 0),
      clock: systemClock,
      logger,
      meter,
    });
    this.#feeder = duty(
      'views',
      () => (feeder.isBusy ? 4 : 1) * tailMs(),
      () => feeder.round(),
    );
    this.#jobs = duty('jobs', scheduleMs, (signal) => jobs.round(signal));
    this.#freeing = duty('free-slots', scheduleMs, (_, way) => this.#free(way));
    this.#matching = duty('messages', scheduleMs, async (_, way) => {
      const delivered = await matching.run();
      if (delivered > 0) meter.count('baton.wakeups', delivered, { work: 'message', way });
      return undefined;
    });
    const telling = duty(
      'children',
      () => config.pollMs ?? scanEveryMs,
      async () => {
        await this.#time.learn();
        await children.run();
        return undefined;
      },
    );
    const receiving = topicRecords && duty('topic-records', scheduleMs, () => topicRecords.round());
    const publisherLease = lease('kafka-publisher');
    const publishing = this.#publisher;
    let isPublishing = false;
    this.#publishing = publishing
      ? duty('publisher', tailMs, async () => {
          isPublishing = (await publisherLease.hold()) !== null;
          if (!isPublishing) {
            await publishing.rest();
            return undefined;
          }
          if (await publishing.round()) return 'again';
          return publishing.isBusy ? publishBusyMs : undefined;
        })
      : null;
    const teller = new StatusTeller({
      pool: this.#pool,
      holder: this.id,
      kafka: kafka && publishing && { client: kafka, prefix: topics.prefix ?? '', publisher: () => publishing.status },
      logger,
    });
    meter.observe('baton.bus.consumer-lag', (observe) => {
      for (const { group, topic, lag } of isPublishing ? teller.groups : []) observe(lag, { group, topic });
    });
    const tellingBus = duty(
      'bus-status',
      () => busStatusMs,
      async () => {
        if (publishing === null || isPublishing) await teller.round();
        return undefined;
      },
    );
    this.#tracing = config.traces?.exported
      ? new Tracing({
          events: new PostgresTraceTail(this.#pool, config.cell),
          tail,
          log,
          settings: config.traces,
          lease: lease('traces'),
          now: () => this.#time.now(),
          logger,
          meter,
        })
      : null;
    const tracing = this.#tracing;
    new ClusterGauges({
      pool: this.#pool,
      instruments: meter,
      monotonicMs: () => systemClock.now(),
      subscribers: [viewsSubscriber, ...(kafka ? [publisherSubscriber] : []), ...(tracing ? [tracesSubscriber] : [])],
    });
    this.#duties = [
      ...(tracing
        ? [
            duty(
              'traces',
              () => Math.max(tracesEveryMs, tailMs()),
              () => tracing.round(),
            ),
          ]
        : []),
      ...(this.#publishing ? [this.#publishing] : []),
      ...(receiving ? [receiving] : []),
      this.#admission,
      this.#freeing,
      this.#feeder,
      this.#jobs,
      tellingBus,
      telling,
      duty('slots', scheduleMs, async () => {
        if ((await this.slots.freeLeaked()) > 0) this.#admission.wake();
        return undefined;
      }),
      this.#matching,
      duty(
        'expiry',
        () => expiryEveryMs,
        () => expiry.run(),
      ),
      duty(
        'self-audit',
        () => this.#settings.get('selfAudit.everyMs'),
        async (signal) => {
          if ((await auditLease.hold()) !== null) await audit.pass(signal);
          return undefined;
        },
      ),
    ];
  }

  async start(): Promise<void> {
    await waitForSchema(this.#pool, { signal: this.#stop.signal });
    await awaitSessionMode(this.config.databaseUrl, this.#stop.signal);
    await this.#settingSource.initialize();
    await this.#settings.start();
    await this.#time.learn();
    this.#stopListening = this.wakeUp.listen((topic, detail) => {
      this.#publishing?.wake();
      if (topic === 'queue') this.#admission.wake('notify');
      // Unless nobody holds a slot, as nearly always: no statement is needed then.
      if (topic === 'ended' && detail !== '' && this.slots.areHeld) this.ended(detail, 'notify');
      if (topic === 'message') this.#matching.wake('notify');
      if (topic === 'cluster') this.#jobs.wake();
    });
    await this.wakeUp.start();
    for (const duty of this.#duties) duty.start();
    this.#topics?.start();
  }

  /** A process has ended: its slots are free for the next. Freed together with those that end meanwhile. */
  ended(stream: string, way: Way = 'bus'): void {
    this.#ended.add(stream);
    this.#freeing.wake(way);
  }

  async #free(way: Way): Promise<undefined> {
    const streams = [...this.#ended];
    this.#ended.clear();
    // What a failure leaves behind, the scan for leaked slots frees.
    if (streams.length > 0 && (await this.slots.free(streams))) this.#admission.wake(way);
    return undefined;
  }

  /** What the bus did not tell while it was away. */
  look(): void {
    for (const duty of [this.#admission, this.#matching, this.#freeing]) duty.wake('bus');
  }

  /** The bus tells of a request. */
  /** Its own subscription to the bus counts for its readiness: a consumer that is dead is not seen otherwise. */
  readsBusBy(subscription: { readonly healthy: boolean }): void {
    this.#hints = subscription;
  }

  admit(): void {
    this.#admission.wake('bus');
  }

  /** The bus tells of a receiver that waits for a message which may be here already. */
  match(): void {
    this.#matching.wake('bus');
  }

  health(): { status: 'ready' | 'degraded' | 'not-ready'; checks: Record<string, string> } {
    const checks = Object.fromEntries(
      this.#duties.map((duty) => [duty.name, duty.healthy ? 'ok' : 'no good round lately']),
    );
    const isReading = this.#topics?.healthy ?? true;
    const isHinted = this.#hints?.healthy ?? true;
    if (!isHinted) checks['bus'] = 'nothing was read from the bus lately';
    if (!isReading) checks['topics'] = 'Kafka has not been heard of lately';
    const status = !this.#admission.healthy
      ? 'not-ready'
      : isReading && isHinted && this.#duties.every((duty) => duty.healthy)
        ? 'ready'
        : 'degraded';
    return { status, checks };
  }

  get metricsType(): string {
    return this.metrics.contentType;
  }
  renderMetrics(): Promise<string> {
    return this.metrics.render();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('The scheduler is stopping.'));
    this.#stopListening();
    await this.#topics?.stop();
    await Promise.all(this.#duties.map((duty) => duty.stop()));
    await this.#publisher?.close();
    await releaseLeases(this.#pool, this.id).catch((error: unknown) =>
      this.logger.warn({ err: error }, 'the leases could not be given back; they run out by themselves'),
    );
    await this.#tracing?.close();
    this.#settings.stop();
    await this.wakeUp.stop();
    if (this.#settingSource.isInitialized) await this.#settingSource.destroy();
    await Promise.all([this.#pool.end(), this.#admissionPool.end()]);
    this.logger.debug({ cell: this.config.cell }, 'the scheduler has stopped');
  }
}
