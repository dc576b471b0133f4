import { randomBytes } from 'node:crypto';
import { BatonClient, BatonProblem } from '@baton/client';
import { openPostgresCell, type PostgresCell } from '@baton/event-log';
import type { RecordedEvent } from '@baton/process';
import { type TestCluster, testCluster } from '@baton/testing';
import type { AuditedCluster } from '../chaos.audit.js';
import { chaosDefinitions } from '../chaos.definitions.js';
import { EffectLedger } from '../effect.ledger.js';
import { operatorsModule } from '../executor.process.js';
import { moment, patiently } from '../real.cluster.js';
import { ServiceProcess } from '../service.process.js';

const adminToken = () => `bt_${randomBytes(6).toString('hex')}_${randomBytes(32).toString('base64url')}`;
const openQuery = `select count(distinct p.id)::int as open from process p where not exists (
  select from event e where e.stream_id = p.id and e.sequence = p.version
    and e.type in ('ProcessCompleted', 'ProcessFailed', 'ProcessCancelled'))`;

/** All services as real processes: intake, two schedulers, executors, with Kafka as their bus. */
export class OutageCluster implements AuditedCluster {
  readonly requested: string[] = [];
  readonly schedulers: ServiceProcess[] = [];
  readonly executors: ServiceProcess[] = [];
  intake!: ServiceProcess;
  private readonly services: ServiceProcess[] = [];
  private readonly schedulerIds = new Map<string, ServiceProcess>();
  private people!: BatonClient;
  private client!: BatonClient;
  private isClosing = false;
  private answering: Promise<void> = Promise.resolve();

  private constructor(
    private readonly server: TestCluster,
    readonly ledger: EffectLedger,
    readonly url: string,
    private readonly cell: PostgresCell,
    private readonly environment: Record<string, string>,
  ) {}

  static async start(brokers: string): Promise<OutageCluster> {
    const server = await testCluster();
    const { url } = await server.database();
    const cell = openPostgresCell({ url, cell: 'c1', application: 'outage', onError: () => undefined });
    const cluster = new OutageCluster(server, await EffectLedger.start(), url, cell, {
      DATABASE_URL: url,
      BATON_SECRET_KEY: randomBytes(32).toString('base64'),
      BATON_OPERATORS: operatorsModule,
      BATON_BUS: 'kafka',
      KAFKA_BROKERS: brokers,
      BATON_TOPIC_PARTITIONS: '3',
      BATON_TOPIC_REPLICATION: '1',
    });
    await cluster.open();
    return cluster;
  }

  private async open(): Promise<void> {
    const token = adminToken();
    this.intake = this.startService('intake', { PORT: '0', BATON_MIGRATE: 'on', BATON_ADMIN_TOKEN: token });
    await this.intake.ready;
    const url = `http://127.0.0.1:${this.intake.port}`;
    this.client = new BatonClient({ url, token });
    const people = await this.client.createToken({ name: 'people', role: 'operator', groups: ['people'] });
    this.people = new BatonClient({ url, token: people.token });
    for (const definition of chaosDefinitions(this.ledger.url()))
      await this.client.publish(JSON.stringify({ kind: 'Process', ...definition }));
    for (let n = 0; n < 2; n += 1) {
      this.startScheduler();
      this.startExecutor();
    }
    await Promise.all([...this.schedulers, ...this.executors].map((service) => service.ready));
    this.answering = this.answerTasks();
  }

  startScheduler(): ServiceProcess {
    const scheduler = this.startService('scheduler', {}, (line) => {
      if (typeof line['scheduler'] === 'string') this.schedulerIds.set(line['scheduler'], scheduler);
    });
    this.schedulers.push(scheduler);
    return scheduler;
  }

  startExecutor(): ServiceProcess {
    const executor = this.startService('executor', { BATON_LEASE_MS: '4000', BATON_QUARANTINE_DEATHS: '1000000' });
    this.executors.push(executor);
    return executor;
  }

  /** The scheduler that publishes: it holds the lease, and lives. */
  async publisher(): Promise<ServiceProcess | undefined> {
    const { rows } = await this.cell.pools.service.query<{ holder: string }>(
      "select holder from lease where name = 'kafka-publisher' and expires_at > now()",
    );
    const publisher = this.schedulerIds.get(rows[0]?.holder ?? '');
    return publisher?.isRunning ? publisher : undefined;
  }

  /** Accepted when intake has said so. */
  async request(name: string, inputs: Record<string, number>): Promise<void> {
    const { id } = await this.client.request({ definition: name, inputs });
    this.requested.push(id);
  }

  async readiness(service: ServiceProcess): Promise<{ code: number; status: string }> {
    const response = await fetch(`http://127.0.0.1:${service.port}/health/ready`);
    const { status } = (await response.json()) as { status: string };
    return { code: response.status, status };
  }

  /** What the schedulers that run have warned of last. */
  complaints(): string {
    const running = this.schedulers.filter((scheduler) => scheduler.isRunning);
    const lines = running.flatMap(({ pid, lines: all }) =>
      all
        .filter(({ level }) => level === 'warn' || level === 'error')
        .slice(-5)
        .map((line) => `scheduler ${pid}: ${JSON.stringify(line).slice(0, 1000)}`),
    );
    return lines.join('\n');
  }

  events(stream: string): Promise<RecordedEvent[]> {
    return patiently(() => this.cell.log.read(stream));
  }

  async streams(): Promise<string[]> {
    const { rows } = await this.cell.pools.service.query<{ id: string }>('select id from process');
    return rows.map(({ id }) => `c1-${id}`);
  }

  async eventIds(): Promise<string[]> {
    const { rows } = await this.cell.pools.service.query<{ id: string }>('select event_id as id from event');
    return rows.map(({ id }) => id);
  }

  async eventIdsOf(types: readonly string[]): Promise<string[]> {
    const query = 'select event_id as id from event where type = any($1)';
    const { rows } = await this.cell.pools.service.query<{ id: string }>(query, [types]);
    return rows.map(({ id }) => id);
  }

  async eventCount(): Promise<number> {
    const { rows } = await this.cell.pools.service.query<{ count: number }>('select count(*)::int from event');
    return rows[0]?.count ?? 0;
  }

  async openProcesses(): Promise<number> {
    const { rows } = await this.cell.pools.service.query<{ open: number }>(openQuery);
    return rows[0]?.open ?? 0;
  }

  async close(): Promise<void> {
    this.isClosing = true;
    await this.answering;
    for (const service of this.services)
      if (service.isRunning) {
        service.signal('SIGKILL');
        await service.exited;
      }
    await this.cell.close();
    await this.ledger.close();
    await this.server.drop();
  }

  private startService(
    app: string,
    environment: Record<string, string>,
    onLine?: (line: Record<string, unknown>) => void,
  ): ServiceProcess {
    const service = new ServiceProcess(app, { ...this.environment, ...environment }, onLine);
    this.services.push(service);
    return service;
  }

  /** People who answer at once. */
  private async answerTasks(): Promise<void> {
    while (!this.isClosing) {
      const { items } = await this.people.tasks({ mine: true, limit: 100 });
      for (const { id } of items)
        await this.people.answerTask(id, { go: true }).catch((error: unknown) => {
          // The list follows the log: some are answered already.
          if (!(error instanceof BatonProblem)) throw error;
        });
      await moment(300);
    }
  }
}
