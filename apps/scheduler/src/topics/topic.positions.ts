import type { kafkaClient } from '@baton/bus';
import type { TopicStore, WatchedTopic } from '@baton/event-log';
import type { Logger } from '../scheduler.ports.js';

/** Clocks of producers and of the database may differ by so much. */
const clockMarginMs = 5_000;

/**
 * Job: says which watched topics can be read, and where each of their partitions begins.
 * Boundary: the positions are the store's; reading is the consumer's.
 * Invariants:
 * 1. A topic is read from when it began to be watched: what came after that is not missed, however late it is looked at.
 * 2. A partition that comes later is read from its first record.
 * 3. A topic that was made anew (it ends before the position) is read from its first record, and that is said.
 */
export class TopicPositions {
  constructor(
    private readonly options: {
      kafka: Pick<ReturnType<typeof kafkaClient>, 'admin'>;
      store: Pick<TopicStore, 'watched' | 'positions' | 'begin'>;
      logger: Logger;
    },
  ) {}

  async readable(): Promise<string[]> {
    const { kafka, store } = this.options;
    const watched = await store.watched();
    if (watched.length === 0) return [];
    const admin = kafka.admin();
    await admin.connect();
    try {
      const there = new Set(await admin.listTopics());
      const readable = watched.filter(({ topic }) => there.has(topic));
      for (const one of readable) await this.#begin(admin, one);
      return readable.map(({ topic }) => topic);
    } finally {
      await admin.disconnect();
    }
  }

  async #begin(admin: Admin, { topic, watchedAt }: WatchedTopic): Promise<void> {
    const { store, logger } = this.options;
    const positions = await store.positions(topic);
    const ends = await admin.fetchTopicOffsets(topic);
    const unknown = ends.filter(({ partition }) => !positions.has(partition));
    if (unknown.length > 0) {
      const since = positions.size > 0 ? null : await this.#since(admin, topic, watchedAt);
      const begins = unknown.map(({ partition, low }) => ({ partition, offset: since?.get(partition) ?? BigInt(low) }));
      await store.begin(topic, begins);
    }
    const anew = ends.filter(({ partition, high }) => BigInt(high) < (positions.get(partition) ?? 0n));
    if (anew.length === 0) return;
    logger.warn(
      { topic },
      'the topic ends before what was read of it: it was made anew, and is read from its beginning',
    );
    await store.begin(
      topic,
      anew.map(({ partition, low }) => ({ partition, offset: BigInt(low), again: true })),
    );
  }

  async #since(admin: Admin, topic: string, watchedAt: string): Promise<Map<number, bigint>> {
    const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, Date.parse(watchedAt) - clockMarginMs);
    return new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }
}

type Admin = ReturnType<ReturnType<typeof kafkaClient>['admin']>;
