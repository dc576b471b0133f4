import { type BusEvent, type DeadLetters, keptRecord, recordKept, type TopicRecord } from '@baton/bus';
import type { TopicStore } from '@baton/event-log';
import type { Logger, Meter } from '../scheduler.ports.js';
import { readRecord } from './topic.record.js';

export const topicSubscriber = 'topic-records';

/**
 * Job: puts records of watched topics where their receivers find them.
 * Boundary: who receives a record is the matcher's; reading the topic and its offsets are the consumer's.
 * Invariants:
 * 1. A record is kept once, however often it is read: its partition's position moves in the same commit.
 * 2. A record that no process could take becomes a dead letter with the reason before the position moves behind it.
 */
export class RecordIntake {
  constructor(
    private readonly options: {
      store: Pick<TopicStore, 'positions' | 'take' | 'watched'>;
      deadLetters: DeadLetters;
      /** How long a record waits where no receiver says so. */
      keepMs(): number;
      kept(): void;
      logger: Logger;
      meter: Meter;
    },
  ) {}

  /** Records of one partition, in order. */
  async take(records: readonly TopicRecord[]): Promise<void> {
    const [first] = records;
    const last = records.at(-1);
    if (!first || !last) return;
    const { store, keepMs, kept, meter } = this.options;
    const { topic, partition } = first;
    const next = (await store.positions(topic)).get(partition) ?? 0n;
    if (BigInt(last.offset) < next) return;
    const usable = [];
    for (const record of records) {
      if (BigInt(record.offset) < next) continue;
      const read = readRecord(record);
      if ('unusable' in read) await this.#bury(record, read.unusable);
      else usable.push(read);
    }
    const watched = (await store.watched()).find((one) => one.topic === topic);
    const place = { topic, partition, last: BigInt(last.offset) };
    const count = await store.take(place, usable, watched?.keepMs ?? keepMs());
    if (count > 0) {
      meter.count('baton.scheduler.records-taken', count);
      kept();
    }
  }

  /** A dead letter once more: a reason for what no process can take even now. It keeps the order of no partition. */
  async replay(letter: Pick<BusEvent, 'data'>, send: (record: TopicRecord) => Promise<void>): Promise<string | null> {
    const record = recordKept(letter.data);
    if (record === null)
      return 'It was not kept with its dead letter: send it again, in a form that a process can take.';
    const read = readRecord(record);
    if ('unusable' in read)
      return `${read.unusable} It stays as it is: send it again, in a form that a process can take.`;
    await send(record);
    return null;
  }

  async #bury(record: TopicRecord, reason: string): Promise<void> {
    const { deadLetters, logger } = this.options;
    const { topic, partition, offset, timestamp, key, value, headers } = record;
    await deadLetters.put({
      subscriber: topicSubscriber,
      event: {
        name: 'record',
        id: crypto.randomUUID(),
        type: 'record',
        schemaVersion: 1,
        subject: (key?.toString('utf8') ?? '').replaceAll('\0', ''),
        sequence: 0,
        time: timestamp,
        source: '',
        data: { record: keptRecord(record, { key, value, headers }) },
      },
      origin: { transport: 'kafka', topic, partition, offset },
      reason,
      attempts: 1,
      original: { key, value, headers },
    });
    logger.warn({ topic, partition, offset }, `no process can take a record: ${reason}`);
  }
}
