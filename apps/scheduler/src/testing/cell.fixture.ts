import {
  CellIds,
  CommandHandler,
  createLogPool,
  migrateLog,
  newProcessId,
  PostgresEventLog,
  uuidv7,
} from '@baton/event-log';
import type { ProcessEvent, ProcessEventData } from '@baton/process';
import { testDatabase } from '@baton/testing';
import { Admission } from '../admission/admission.js';
import { QueueStore } from '../admission/queue.store.js';
import { SlotStore } from '../admission/slot.store.js';
import { type Logger, type LogPool, silentMeter } from '../scheduler.ports.js';

type Request = ProcessEventData['ProcessRequested'];

export const quietLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** One cell on a real PostgreSQL, as the scheduler's specs use it. */
export class Cell {
  readonly ids = new CellIds('c1');
  readonly log: PostgresEventLog;
  readonly commands: CommandHandler;
  readonly queue: QueueStore;
  readonly slots: SlotStore;
  readonly hints: string[] = [];
  readonly wakeUp = { notify: (topic: string) => void this.hints.push(topic) };
  private constructor(
    readonly pool: LogPool,
    readonly url: string,
    private readonly dropDatabase: () => Promise<void>,
  ) {
    this.log = new PostgresEventLog(pool, 'c1');
    this.commands = new CommandHandler({ log: this.log, now: Date.now });
    this.queue = new QueueStore(pool, this.ids);
    this.slots = new SlotStore(pool, this.ids);
  }

  static async open(): Promise<Cell> {
    const database = await testDatabase({
      migrate: {
        name: 'log with duties',
        async run(url) {
          const pool = createLogPool({ url, application: 'migrations' });
          await migrateLog(pool);
          await pool.end();
        },
      },
    });
    const pool = createLogPool({ url: database.url, application: 'scheduler spec', max: 8 });
    return new Cell(pool, database.url, () => database.drop());
  }

  async close(): Promise<void> {
    await this.pool.end();
    await this.dropDatabase();
  }

  async empty(): Promise<void> {
    await this.pool.query(
      'truncate event, process, queue, slot, slot_key, child, task, incident, receiver, job, message',
    );
    this.hints.length = 0;
  }

  admission(options: Partial<ConstructorParameters<typeof Admission>[0]> = {}): Admission {
    return new Admission({
      queue: this.queue,
      slots: this.slots,
      log: this.log,
      commands: this.commands,
      wakeUp: this.wakeUp,
      maxRunning: () => null,
      newId: uuidv7,
      batch: 100,
      logger: quietLogger,
      meter: silentMeter,
      ...options,
    });
  }

  async request(more: Partial<Request> = {}, stream = newProcessId('c1')): Promise<string> {
    const data: Request = {
      definition: { name: 'default/x', version: 1, digest: 'd' },
      environment: null,
      inputs: {},
      priority: 5,
      labels: {},
      requester: { id: 'spec', groups: [] },
      ...more,
    };
    await this.append(stream, 'none', { type: 'ProcessRequested', data });
    return stream;
  }

  async append(stream: string, expected: number | 'none', ...events: ProcessEvent[]): Promise<void> {
    const [result] = await this.log.append([
      { stream, expected, events: events.map((event) => ({ id: uuidv7(), event, metadata: {} })) },
    ]);
    if (result?.status !== 'appended') throw new Error(`an event of ${stream} was refused`);
  }

  async types(stream: string): Promise<string[]> {
    return (await this.log.read(stream)).map(({ type }) => type);
  }

  async follow(stream: string, ...events: ProcessEvent[]): Promise<void> {
    const version = (await this.log.heads([stream])).get(stream)!.version;
    await this.append(stream, version, ...events);
  }

  async end(stream: string, event: ProcessEvent = { type: 'ProcessCompleted', data: { outputs: {} } }): Promise<void> {
    await this.follow(stream, event);
  }
}
