import type { Json, JsonObject } from '@baton/process';

/** A topic that a published definition, or a process, waits for records of. */
export interface WatchedTopic {
  topic: string;
  /** How long its records wait for a receiver; null: as long as messages. */
  keepMs: number | null;
  /** From when on its records are taken in. */
  watchedAt: string;
}

/** A record that waits for its receiver. */
export interface KeptRecord {
  topic: string;
  id: string;
  /** In the order in which they were taken in. */
  number: bigint;
  key: string | null;
  record: JsonObject;
  receivedAt: number;
}

/** An operator that waits for a record of a topic. */
export interface TopicReceiver {
  topic: string;
  stream: string;
  path: string;
  attempt: number;
  key: string | null;
  keepMs: number | null;
  conditions: Json;
  openedAt: number;
}

export interface RecordDelivery {
  topic: string;
  id: string;
  record: JsonObject;
  stream: string;
  path: string;
}

/**
 * Records of Kafka topics on their way to one receiver each. How far a partition was taken in stands beside the records
 * and moves with them: offsets of a consumer group are an optimisation.
 */
export interface TopicStore {
  /** Takes in the records of these topics from now on. A topic that is watched already keeps its beginning. */
  watch(topics: readonly { topic: string; keepMs: number | null }[]): Promise<void>;
  /** Those, and the topics that a receiver waits for. */
  watched(): Promise<WatchedTopic[]>;
  /** By partition, the next offset. */
  positions(topic: string): Promise<Map<number, bigint>>;
  /** Where partitions begin that have no position yet, or (`again`) whose records are not those of before. */
  begin(topic: string, partitions: readonly { partition: number; offset: bigint; again?: boolean }[]): Promise<void>;
  /** In one transaction: the records that were not taken in before, and the position behind `last`. Returns how many. */
  take(
    place: { topic: string; partition: number; last: bigint },
    records: readonly { id: string; offset: bigint; key: string | null; record: JsonObject }[],
    keepMs: number,
  ): Promise<number>;
  /** What would make a look worth while: it differs when records or receivers have come. */
  changes(): Promise<{ topic: string; mark: string }[]>;
  /** Without those that a record was claimed for; the oldest first. */
  receivers(topic: string): Promise<TopicReceiver[]>;
  /** Records that nobody was found for, in order, behind a number. `key`: of that key alone. */
  open(topic: string, behind: bigint, limit: number, key?: string): Promise<KeptRecord[]>;
  /** False: the record or the receiver is taken already. */
  claim(record: Pick<KeptRecord, 'topic' | 'id'>, receiver: Pick<TopicReceiver, 'stream' | 'path'>): Promise<boolean>;
  /** What was claimed and is not known to be delivered. */
  claimed(limit: number): Promise<RecordDelivery[]>;
  delivered(delivery: RecordDelivery): Promise<void>;
  /** The receiver did not want it any more: it waits for the next one, as if it had just come. */
  giveBack(delivery: RecordDelivery): Promise<void>;
  removeExpired(limit: number): Promise<number>;
}
