import { isLifecycleEvent } from '@baton/contracts';
import type { Tail } from '@baton/event-log';
import type { Kafka, Message, Producer } from 'kafkajs';
import type { Meter } from '../bus.ports.js';
import { busEventOf } from '../bus-event.js';
import { recordOf } from './kafka-record.js';
import { ensureTopics, type TopicSettings, topicNames } from './topics.js';

export const publisherSubscriber = 'kafka-publisher';

export interface PublisherOptions {
  kafka: Kafka;
  tail: Pick<Tail, 'read' | 'checkpoint' | 'moveCheckpoint'>;
  topics: TopicSettings;
  batch: number;
  meter: Meter;
}

/**
 * Job: one round of publishing: tail, produce, checkpoint.
 * Boundary: who may publish (a lease) and when a round comes are the caller's.
 * Invariants:
 * 1. The checkpoint moves only after all replicas in sync have acknowledged the whole batch: nothing is lost, what is
 *    cut off is repeated with the same ids.
 * 2. One request is in flight, keys are process ids, and a round follows the one before: the order of a process holds.
 * 3. The checkpoint moves by compare-and-set: a publisher that was frozen cannot move it back.
 * 4. A round that fails leaves nothing behind but repetitions: the next one begins at the checkpoint, connected anew.
 */
export class Publisher {
  #producer: Producer | null = null;
  constructor(private readonly options: PublisherOptions) {}

  /** True: there may be more at once. */
  async round(): Promise<boolean> {
    const { tail, batch, meter, topics } = this.options;
    const from = await tail.checkpoint(publisherSubscriber);
    const { events, position } = await tail.read(from, batch);
    if (events.length === 0 || position === null) return false;
    const all: Message[] = [];
    const lifecycle: Message[] = [];
    for (const event of events) {
      const record = recordOf(busEventOf(event));
      all.push(record);
      if (isLifecycleEvent(event.type)) lifecycle.push(record);
    }
    const names = topicNames(topics);
    const producer = await this.#connected();
    try {
      await producer.sendBatch({
        acks: -1,
        timeout: 10_000,
        topicMessages: [
          { topic: names.process, messages: all },
          ...(lifecycle.length > 0 ? [{ topic: names.lifecycle, messages: lifecycle }] : []),
        ],
      });
    } catch (error) {
      await this.close();
      throw error;
    }
    await tail.moveCheckpoint(publisherSubscriber, from, position);
    meter.count('baton.publisher.published', all.length);
    return true;
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer?.disconnect();
  }

  async #connected(): Promise<Producer> {
    if (this.#producer) return this.#producer;
    await ensureTopics(this.options.kafka, this.options.topics);
    const producer = this.options.kafka.producer({ maxInFlightRequests: 1, allowAutoTopicCreation: false });
    await producer.connect();
    this.#producer = producer;
    return producer;
  }
}
