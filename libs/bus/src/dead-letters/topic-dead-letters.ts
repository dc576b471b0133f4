import type { DeadLetter, DeadLetters } from '../bus.ports.js';
import type { BusEvent } from '../bus-event.js';
import type { BusProducer } from '../producer/producer.port.js';
import { deadLetterRecord } from './dead-letter.record.js';

/**
 * Dead letters of subscribers over Kafka: a record of the dead-letter topic for the world, and a row for `baton bus`.
 * Invariant: resolved means that both are there; a repetition writes the row once and the record again.
 */
export class TopicDeadLetters implements DeadLetters {
  constructor(private readonly options: { rows: DeadLetters; producer: Pick<BusProducer, 'send'>; topic: string }) {}

  async put(letter: DeadLetter): Promise<void> {
    const { rows, producer, topic } = this.options;
    const place = placeOf(letter.origin);
    if (place && letter.original) {
      const { original, subscriber, reason, attempts } = letter;
      await producer.send(topic, [deadLetterRecord({ ...place, original, subscriber, reason, attempts })]);
    }
    await rows.put(letter);
  }

  async replay(subscriber: string, deliver: (event: BusEvent) => Promise<string | null>): Promise<number> {
    return (await this.options.rows.replay?.(subscriber, deliver)) ?? 0;
  }
}

function placeOf(origin: object): { topic: string; partition: number; offset: string } | null {
  if (!('topic' in origin) || !('partition' in origin) || !('offset' in origin)) return null;
  const { topic, partition, offset } = origin;
  return { topic: String(topic), partition: Number(partition), offset: String(offset) };
}
