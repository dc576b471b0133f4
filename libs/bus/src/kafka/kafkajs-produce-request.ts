import Encoder from 'kafkajs/src/protocol/encoder.js';
import Produce, { type ProduceRequest } from 'kafkajs/src/protocol/requests/produce/index.js';

/** What kafkajs takes for one message of a partition, and is a batch of records as it goes over the wire. */
export class ReadyBatch {
  readonly key = null;
  constructor(
    readonly partition: number,
    /** Not to be changed before the answer. */
    readonly value: Buffer,
  ) {}
}

/** The first version whose records are batches of magic 2 (Kafka 0.11). */
const firstVersion = 3;
let isMended = false;

/**
 * kafkajs 2.2.4 builds the records of a request by a dozen small buffers for each field, each copied into the next: 70
 * to 100 µs a record. Here a request whose messages are ready batches is written around their bytes; every other request
 * is left to kafkajs. Connections, leaders, repetitions and answers stay its own.
 */
export function mendProduceRequest(): void {
  if (isMended) return;
  isMended = true;
  const { protocol } = Produce;
  Produce.protocol = ({ version }) => {
    const make = protocol({ version });
    return (given) => {
      const made = make(given);
      if (!isReady(given)) return made;
      if (version < firstVersion)
        throw new Error('The Kafka broker is older than 0.11: it knows no headers of records.');
      return { ...made, request: { ...made.request, encode: async () => encoded(given) } };
    };
  };
}

function isReady({ topicData }: ProduceRequest): boolean {
  return topicData.some(({ partitions }) => partitions.some(({ messages }) => messages[0] instanceof ReadyBatch));
}

function encoded({ acks, timeout, topicData }: ProduceRequest): Encoder {
  const encoder = new Encoder().writeString(null).writeInt16(acks).writeInt32(timeout).writeInt32(topicData.length);
  for (const { topic, partitions } of topicData) {
    encoder.writeString(topic).writeInt32(partitions.length);
    for (const { partition, messages } of partitions) {
      const [batch] = messages;
      if (messages.length !== 1 || !(batch instanceof ReadyBatch))
        throw new Error('A request carries one ready batch for each partition, and nothing else.');
      encoder.writeInt32(partition).writeBytes(batch.value);
    }
  }
  return encoder;
}
