import { KafkaTransport, kafkaClient, PostgresDeadLetters, PostgresInbox, type Subscription } from '@baton/bus';
import { createLogPool, PostgresEventLog } from '@baton/event-log';

const silent = () => undefined;
const logger = { debug: silent, info: silent, warn: silent, error: silent };
const meter = { count: silent, record: silent };

/** A subscriber as Baton's services are: an inbox beside the log, an effect in the transaction of each event. */
export class InboxConsumer {
  private constructor(
    private readonly pool: ReturnType<typeof createLogPool>,
    private readonly subscription: Subscription,
  ) {}

  static async start(url: string, brokers: string): Promise<InboxConsumer> {
    const pool = createLogPool({ url, application: 'outage inbox', onError: silent });
    await pool.query('create table outage_handled (event_id text not null, name text not null)');
    const transport = new KafkaTransport({
      kafka: kafkaClient({ brokers, clientId: 'outage-inbox' }, logger),
      topics: { partitions: 3, replication: 1 },
      log: new PostgresEventLog(pool, 'c1'),
      inbox: new PostgresInbox(pool),
      deadLetters: new PostgresDeadLetters(pool),
      logger,
      meter,
    });
    const subscription = transport.subscribe({
      subscriber: 'outage',
      mode: 'inbox',
      events: new Set(['process.requested', 'process.completed', 'process.failed']),
      handle: async ({ id, name }, context) => {
        await context.transaction((client) => client.query('insert into outage_handled values ($1, $2)', [id, name]));
      },
    });
    await subscription.start();
    return new InboxConsumer(pool, subscription);
  }

  /** How often each event had its effect. */
  async handled(): Promise<Map<string, number>> {
    const { rows } = await this.pool.query<{ id: string; times: number }>(
      'select event_id as id, count(*)::int as times from outage_handled group by event_id',
    );
    return new Map(rows.map(({ id, times }) => [id, times]));
  }

  async deadLetters(): Promise<number> {
    const { rows } = await this.pool.query<{ count: number }>('select count(*)::int from bus_dead_letter');
    return rows[0]?.count ?? 0;
  }

  async stop(): Promise<void> {
    await this.subscription.stop();
    await this.pool.end();
  }
}
