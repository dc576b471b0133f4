import { isLifecycleEvent, type Republish, republishSchema } from '@baton/contracts';
import type { EventLog, Tail, TailPosition } from '@baton/event-log';
import { busEventOf, type LoggedEvent } from '../bus-event.js';
import type { KafkaClient } from '../kafka/kafka-client.js';
import { recordOf } from '../kafka/kafka-record.js';
import { TopicWriter } from '../kafka/topic-writer.js';
import { ensureTopics, type TopicSettings, topicNames } from '../kafka/topics.js';
import type { PublisherStore } from './publisher-store.js';

export interface RepublisherOptions {
  kafka: KafkaClient;
  topics: TopicSettings;
  log: Pick<EventLog, 'read'>;
  tail: Pick<Tail, 'read'>;
  store: Pick<PublisherStore, 'positionSince'>;
}

const batch = 500;
/** Events stand in the order of their transactions' numbers, which is nearly, but not quite, that of their times. */
const slackMs = 600_000;

/**
 * Job: writes a range of the log to the topics again, with the same ids, beside the publisher.
 * Boundary: moves no checkpoint. Consumers get these events a second time, after later ones: they drop by id what they
 * have, and whoever lost theirs finds them.
 */
export class Republisher {
  constructor(private readonly options: RepublisherOptions) {}

  /** `asked`: a range as the job holds it. How many events were written. */
  async run(
    asked: unknown,
    job: { signal: AbortSignal; onProgress(published: number): Promise<void> },
  ): Promise<number> {
    const range = republishSchema.parse(asked);
    const { kafka, topics } = this.options;
    await ensureTopics(kafka, topics);
    const names = topicNames(topics);
    const writer = await TopicWriter.connect(kafka, [names.process, names.lifecycle]);
    let published = 0;
    try {
      const parts = range.process === undefined ? this.#ofLog(range) : this.#ofProcess(range.process, range);
      for await (const events of parts) {
        job.signal.throwIfAborted();
        const wanted = events.filter((event) => isWithin(event, range));
        const records = (which: readonly LoggedEvent[]) => which.map((event) => recordOf(busEventOf(event)));
        if (wanted.length > 0)
          await writer.send([
            { topic: names.process, records: records(wanted) },
            { topic: names.lifecycle, records: records(wanted.filter(({ type }) => isLifecycleEvent(type))) },
          ]);
        published += wanted.length;
        await job.onProgress(published);
      }
    } finally {
      await writer.close();
    }
    return published;
  }

  async *#ofProcess(process: string, { fromSequence = 1 }: Republish): AsyncGenerator<readonly LoggedEvent[]> {
    const { log } = this.options;
    let after = fromSequence - 1;
    for (;;) {
      const events = await log.read(process, after, batch);
      if (events.length === 0) return;
      yield events;
      after = events.at(-1)?.sequence ?? after;
    }
  }

  async *#ofLog({ since, until }: Republish): AsyncGenerator<readonly LoggedEvent[]> {
    const { tail, store } = this.options;
    let position: TailPosition | null = since === undefined ? null : await store.positionSince(since);
    const end = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until) + slackMs;
    const begun = Date.now();
    for (;;) {
      const read = await tail.read(position, batch);
      const first = read.events[0];
      // What happens from now on is published anyway.
      if (!first || Date.parse(first.recordedAt) > Math.min(end, begun + slackMs)) return;
      yield read.events;
      position = read.position;
    }
  }
}

function isWithin({ recordedAt, sequence }: LoggedEvent, range: Republish): boolean {
  const at = Date.parse(recordedAt);
  if (range.since !== undefined && at < Date.parse(range.since)) return false;
  if (range.until !== undefined && at > Date.parse(range.until)) return false;
  return sequence >= (range.fromSequence ?? 1) && sequence <= (range.toSequence ?? Number.MAX_SAFE_INTEGER);
}
