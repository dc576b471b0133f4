import { randomBytes } from 'node:crypto';
import { Catalogue } from '@baton/catalogue';
import { CommandHandler, newProcessId, openPostgresCell, type PostgresCell, uuidv7 } from '@baton/event-log';
import { loadDescriptors } from '@baton/operators';
import { compile, digestOf, type ProcessEvent, type RecordedEvent } from '@baton/process';
import { Keyring } from '@baton/security';
import { type TestCluster, testCluster } from '@baton/testing';
import { migrateAll } from '../../apps/intake/src/migrate.js';
import { EffectLedger } from './effect.ledger.js';
import { ExecutorProcess, operatorsModule } from './executor.process.js';

/** A PostgreSQL of its own, a ledger of effects, executors as real processes; the rest of Baton is done by the test. */
export class RealCluster {
  readonly executors: ExecutorProcess[] = [];
  readonly requested: string[] = [];
  readonly secretKey = randomBytes(32).toString('base64');
  private readonly definitions = new Map<string, { name: string; version: number; digest: string }>();
  private closing = false;
  private readonly loops: Promise<void>[] = [];

  private constructor(
    readonly server: TestCluster,
    private readonly ownsServer: boolean,
    readonly url: string,
    readonly cell: PostgresCell,
    readonly catalogue: Catalogue,
    readonly ledger: EffectLedger,
    readonly commands: CommandHandler,
  ) {}

  /** On a PostgreSQL of its own, which ends with it; or in a database of its own on the one that is given. */
  static async start(given?: TestCluster): Promise<RealCluster> {
    const server = given ?? (await testCluster());
    const { url } = await server.database();
    await migrateAll(url, () => undefined);
    const cell = openPostgresCell({ url, cell: 'c1', application: 'chaos', onError: () => undefined });
    const ledger = await EffectLedger.start();
    const commands = new CommandHandler({ log: cell.log, now: () => Date.now(), wakeUp: cell.wakeUp });
    const keyring = new Keyring([randomBytes(32).toString('base64')]);
    const catalogue = await Catalogue.open({ url, keyring, connections: 1, onError: () => undefined });
    const cluster = new RealCluster(server, given === undefined, url, cell, catalogue, ledger, commands);
    await cell.wakeUp.start();
    cluster.loops.push(cluster.everyMoment(() => cluster.admit()));
    cluster.loops.push(cluster.everyMoment(() => cluster.answerTasks()));
    cluster.loops.push(cluster.everyMoment(() => cluster.tellParents()));
    return cluster;
  }

  async publish(source: Record<string, unknown>): Promise<void> {
    const text = JSON.stringify({ kind: 'Process', ...source });
    const own = await loadDescriptors(operatorsModule);
    const result = compile(text, { version: 1, operators: own });
    if ('faults' in result) throw new Error(JSON.stringify(result.faults, null, 1));
    const { name } = result.definition;
    const { version, digest } = await this.catalogue.definitions.publish({
      name,
      text,
      digest: digestOf(text),
      summary: {},
      by: 'chaos',
    });
    this.definitions.set(name, { name, version, digest });
  }

  /** Accepted when it is in the log. */
  async request(name: string, inputs: Record<string, string | number> = {}): Promise<string> {
    const definition = this.definitions.get(name);
    if (definition === undefined) throw new Error(`${name} is not published`);
    const stream = newProcessId('c1');
    const requested: ProcessEvent = {
      type: 'ProcessRequested',
      data: {
        definition,
        environment: null,
        inputs,
        priority: 5,
        labels: {},
        requester: { id: 'chaos', groups: [] },
      },
    };
    const events = [requested, { type: 'ProcessScheduled', data: {} } as ProcessEvent];
    const append = {
      stream,
      expected: 'none' as const,
      events: events.map((event) => ({ id: uuidv7(), event, metadata: {} })),
    };
    await patiently(async () => {
      // In doubt: sent again with the same ids; refused then means that it is there.
      await this.cell.log.append([append]);
    });
    this.requested.push(stream);
    this.cell.wakeUp.notify('runnable');
    return stream;
  }

  startExecutor(
    environment: Record<string, string> = {},
    onLine?: (line: Record<string, unknown>) => void,
  ): ExecutorProcess {
    const executor = new ExecutorProcess(
      {
        DATABASE_URL: this.url,
        BATON_SECRET_KEY: this.secretKey,
        BATON_OPERATORS: operatorsModule,
        BATON_LEASE_MS: '2000',
        BATON_HEARTBEAT_MS: '500',
        BATON_POLL_MS: '500',
        BATON_QUARANTINE_DEATHS: '1000000',
        ...environment,
      },
      onLine,
    );
    this.executors.push(executor);
    return executor;
  }

  events(stream: string): Promise<RecordedEvent[]> {
    return patiently(() => this.cell.log.read(stream));
  }

  /** All process streams that there are, children too. */
  async streams(): Promise<string[]> {
    const { rows } = await this.cell.pools.service.query<{ id: string }>('select id from process');
    return rows.map(({ id }) => `c1-${id}`);
  }

  async open(): Promise<number> {
    const query = `select count(distinct p.id)::int as open from process p where not exists (
      select from event e where e.stream_id = p.id and e.sequence = p.version
        and e.type in ('ProcessCompleted', 'ProcessFailed', 'ProcessCancelled'))`;
    const { rows } = await patiently(() => this.cell.pools.service.query<{ open: number }>(query));
    return rows[0]?.open ?? 0;
  }

  /** Polls the log until it holds, or names what is open. */
  async untilEnded(patienceMs: number): Promise<boolean> {
    const until = performance.now() + patienceMs;
    while (performance.now() < until) {
      if ((await this.open()) === 0) return true;
      await moment(200);
    }
    return false;
  }

  async close(): Promise<void> {
    this.closing = true;
    await Promise.all(this.loops);
    for (const executor of this.executors)
      if (executor.isRunning) {
        executor.signal('SIGKILL');
        await executor.exited;
      }
    await this.catalogue.close();
    await this.cell.close();
    await this.ledger.close();
    if (this.ownsServer) await this.server.drop();
  }

  private async everyMoment(act: () => Promise<void>): Promise<void> {
    while (!this.closing) {
      // The database may be away: the next round tries again.
      await act().catch(() => undefined);
      await moment(100);
    }
  }

  private async admit(): Promise<void> {
    const { rows } = await this.cell.pools.service.query<{ id: string }>(
      'select stream_id as id from queue where not_before is null or not_before <= now() order by priority desc limit 100',
    );
    for (const { id } of rows) await this.commands.handle(this.cell.log.ids.id(id), { kind: 'schedule' });
  }

  /** The scheduler's scan: ends that a dead executor could not tell. */
  private async tellParents(): Promise<void> {
    const kinds = { ProcessCompleted: 'completed', ProcessFailed: 'failed', ProcessCancelled: 'cancelled' } as const;
    for (const { child, parent, path, attempt, type } of await this.cell.children.untold(100)) {
      await this.commands.handle(parent, { kind: 'endChild', child, path, attempt, status: kinds[type] });
      await this.cell.children.markTold(child);
    }
  }

  private async answerTasks(): Promise<void> {
    const { rows } = await this.cell.pools.service.query<{ stream_id: string; id: string }>(
      'select stream_id, id from task limit 200',
    );
    const by = { id: 'a-person', groups: ['people'] };
    await Promise.all(
      rows.map(({ stream_id, id }) =>
        this.commands.handle(`c1-${stream_id}`, { kind: 'answerTask', taskId: id, answer: { go: true }, by }),
      ),
    );
  }
}

export function moment(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Again while the database is away. */
export async function patiently<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch {
      await moment(100);
    }
  }
}
