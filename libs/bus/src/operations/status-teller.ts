import type { Logger } from '../bus.ports.js';
import type { KafkaClient } from '../kafka/kafka-client.js';
import type { PublisherStatus } from '../publisher/publisher.js';
import { tellBusStatus } from './bus-operations.sql.js';

export interface GroupLag {
  group: string;
  topic: string;
  lag: number;
}
/** What a scheduler tells of its bus, for who cannot ask Kafka. */
export interface ToldStatus {
  transport: 'embedded' | 'kafka';
  kafka: (PublisherStatus & { holder: string; groups: GroupLag[] }) | null;
}

type Admin = ReturnType<KafkaClient['admin']>;
/** What is needed of a client of Kafka. */
interface AsksForLags {
  admin(
    ...options: Parameters<KafkaClient['admin']>
  ): Pick<Admin, 'connect' | 'disconnect' | 'listGroups' | 'fetchOffsets' | 'fetchTopicOffsets'>;
}

export interface StatusTellerOptions {
  pool: { query(text: string, values: string[]): Promise<unknown> };
  holder: string;
  /** Null: the embedded bus. */
  kafka: { client: AsksForLags; prefix: string; publisher(): PublisherStatus } | null;
  logger: Logger;
}

/** Each instance of a subscriber of hints, and each look-up of the publisher, has a group of its own. */
const ofInstance = /\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Job: writes down how the bus is, with the lag of the consumer groups.
 * Invariant: a broker that is away does not keep the rest from being told; the last lags known stand meanwhile.
 */
export class StatusTeller {
  #groups: GroupLag[] = [];
  constructor(private readonly options: StatusTellerOptions) {}

  /** As they were at the last look; empty where another scheduler publishes. */
  get groups(): readonly GroupLag[] {
    return this.#groups;
  }

  async round(): Promise<void> {
    const { pool, holder, kafka } = this.options;
    if (kafka) await this.#learn(kafka);
    const told: ToldStatus = kafka
      ? { transport: 'kafka', kafka: { ...kafka.publisher(), holder, groups: this.#groups } }
      : { transport: 'embedded', kafka: null };
    await pool.query(tellBusStatus, [JSON.stringify(told)]);
  }

  async #learn({ client, prefix }: { client: AsksForLags; prefix: string }): Promise<void> {
    const admin = client.admin({ retry: { retries: 0 } });
    try {
      await admin.connect();
      const { groups } = await admin.listGroups();
      // Who reads one topic alone has the prefix of the topics before its name.
      const isOurs = (id: string) => id.startsWith('baton.') || id.startsWith(`${prefix}baton.`);
      const ours = groups.map(({ groupId }) => groupId).filter((id) => isOurs(id) && !ofInstance.test(id));
      const lags: GroupLag[] = [];
      const ends = new Map<string, Map<number, bigint>>();
      for (const group of ours)
        for (const { topic, partitions } of await admin.fetchOffsets({ groupId: group })) {
          if (!topic.startsWith(prefix)) continue;
          if (!ends.has(topic)) {
            const offsets = await admin.fetchTopicOffsets(topic);
            ends.set(topic, new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)])));
          }
          const behind = partitions.map(({ partition, offset }) => {
            const end = ends.get(topic)?.get(partition) ?? 0n;
            const at = BigInt(offset) < 0n ? 0n : BigInt(offset);
            return end > at ? end - at : 0n;
          });
          lags.push({ group, topic, lag: Number(behind.reduce((sum, one) => sum + one, 0n)) });
        }
      this.#groups = lags;
    } catch (error) {
      this.options.logger.debug({ err: error }, 'Kafka did not tell how far its consumers are');
    } finally {
      await admin.disconnect();
    }
  }
}
