import { catalogueDataSource, SettingCache, SettingRepository } from '@baton/catalogue';
import {
  CellIds,
  CommandHandler,
  createLogPool,
  PostgresEventLog,
  PostgresWakeUp,
  uuidv7,
  waitForSchema,
} from '@baton/event-log';
import type { Metrics } from '@baton/telemetry';
import { Admission } from './admission/admission.js';
import { QueueStore } from './admission/queue.store.js';
import { SlotStore } from './admission/slot.store.js';
import type { SchedulerConfig } from './config.js';
import { DatabaseTime } from './database-time.js';
import { Duty } from './duty/duty.js';
import { meterOver } from './metrics.js';
import { ChildEndScan } from './scans/child-end.scan.js';
import { type Logger, systemClock } from './scheduler.ports.js';

const admissionBatch = 500;
const scanEveryMs = 5_000;

/**
 * The scheduler of one cell, wired: its duties, each a loop of its own, and what they share.
 * Several schedulers may run: every duty is idempotent, or under a lease.
 */
export class Scheduler {
  readonly wakeUp: PostgresWakeUp;
  readonly slots: SlotStore;
  readonly #pool: ReturnType<typeof createLogPool>;
  readonly #settings: SettingCache;
  readonly #settingSource: ReturnType<typeof catalogueDataSource>;
  readonly #time: DatabaseTime;
  readonly #duties: Duty[];
  readonly #admission: Duty;
  readonly #stop = new AbortController();
  #stopListening: () => void = () => undefined;

  constructor(
    private readonly config: SchedulerConfig,
    private readonly logger: Logger,
    private readonly metrics: Pick<Metrics, 'meter' | 'render' | 'contentType'>,
  ) {
    const meter = meterOver(metrics.meter);
    const onError = (error: unknown) => logger.warn({ err: error }, 'the database is out of reach');
    this.#pool = createLogPool({
      url: config.databaseUrl,
      application: 'baton scheduler',
      max: config.connections,
      onError,
    });
    this.#settingSource = catalogueDataSource({
      url: config.databaseUrl,
      application: 'baton scheduler settings',
      connections: 1,
      onError,
    });
    this.#settings = new SettingCache(new SettingRepository(this.#settingSource), onError);
    this.#time = new DatabaseTime(this.#pool);
    this.wakeUp = new PostgresWakeUp(config.databaseUrl, { enabled: config.notify });
    const ids = new CellIds(config.cell);
    const log = new PostgresEventLog(this.#pool, config.cell);
    const commands = new CommandHandler({ log, now: () => this.#time.now(), wakeUp: this.wakeUp });
    this.slots = new SlotStore(this.#pool, ids);
    const admission = new Admission({
      queue: new QueueStore(this.#pool, ids),
      slots: this.slots,
      log,
      commands,
      wakeUp: this.wakeUp,
      maxRunning: () => this.#settings.get('admission.maxRunning'),
      newId: uuidv7,
      batch: admissionBatch,
      logger,
      meter,
    });
    const children = new ChildEndScan({ pool: this.#pool, ids, commands, logger, meter });
    const duty = (name: string, everyMs: () => number, run: () => Promise<'again' | number | undefined>) =>
      new Duty({ name, run, everyMs, clock: systemClock, logger, meter });
    this.#admission = duty(
      'admission',
      () => config.pollMs ?? this.#settings.get('polling.scheduleMs'),
      () => admission.round(),
    );
    this.#duties = [
      this.#admission,
      duty(
        'scans',
        () => config.pollMs ?? scanEveryMs,
        async () => {
          await this.#time.learn();
          await children.run();
          if ((await this.slots.freeLeaked()) > 0) this.#admission.wake();
          return undefined;
        },
      ),
    ];
  }

  async start(): Promise<void> {
    await waitForSchema(this.#pool, { signal: this.#stop.signal });
    await this.#settingSource.initialize();
    await this.#settings.start();
    await this.#time.learn();
    this.#stopListening = this.wakeUp.listen((topic) => {
      if (topic === 'queue') this.#admission.wake();
    });
    await this.wakeUp.start();
    for (const duty of this.#duties) duty.start();
  }

  /** Processes have ended: their slots are free for the next. */
  async ended(streams: readonly string[]): Promise<void> {
    if (await this.slots.free(streams)) this.#admission.wake();
  }

  admit(): void {
    this.#admission.wake();
  }

  health(): { status: 'ready' | 'degraded' | 'not-ready'; checks: Record<string, string> } {
    const checks = Object.fromEntries(
      this.#duties.map((duty) => [duty.name, duty.healthy ? 'ok' : 'no good round lately']),
    );
    const status = !this.#admission.healthy
      ? 'not-ready'
      : this.#duties.every((duty) => duty.healthy)
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
    await Promise.all(this.#duties.map((duty) => duty.stop()));
    this.#settings.stop();
    await this.wakeUp.stop();
    if (this.#settingSource.isInitialized) await this.#settingSource.destroy();
    await this.#pool.end();
    this.logger.debug({ cell: this.config.cell }, 'the scheduler has stopped');
  }
}
