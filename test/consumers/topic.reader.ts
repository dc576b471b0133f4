import { randomUUID } from 'node:crypto';
import { type IHeaders, Kafka, logLevel } from 'kafkajs';
import type { KafkaRecord } from './asyncapi.contract.js';

export const strangersKafka = (brokers: string) =>
  new Kafka({ clientId: 'a-stranger', brokers: brokers.split(','), logLevel: logLevel.NOTHING });

/** Everything that a topic holds now, partition by partition in order. */
export async function readTopic(brokers: string, topic: string): Promise<KafkaRecord[]> {
  const kafka = strangersKafka(brokers);
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map<number, number>();
  for (const { partition, high, low } of await admin.fetchTopicOffsets(topic))
    if (Number(high) > Number(low)) ends.set(partition, Number(high));
  const group = `stranger-${randomUUID()}`;
  const records = new Map<string, KafkaRecord>();
  if (ends.size > 0) {
    const consumer = kafka.consumer({ groupId: group });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ partition, message }) => {
            records.set(`${String(partition).padStart(5, '0')}/${message.offset.padStart(12, '0')}`, {
              topic,
              key: String(message.key),
              headers: textHeaders(message.headers),
              value: parsed(message.value),
            });
            if (Number(message.offset) + 1 >= (ends.get(partition) ?? 0)) ends.delete(partition);
            if (ends.size === 0) resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    await admin.deleteGroups([group]);
  }
  await admin.disconnect();
  return [...records.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
}

function textHeaders(headers: IHeaders = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

function parsed(value: Buffer | null): unknown {
  if (value === null) return undefined;
  try {
    return JSON.parse(value.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
