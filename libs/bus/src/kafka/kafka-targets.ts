import type { Logger } from '../bus.ports.js';
import type { BusProducer } from '../producer/producer.port.js';
import { type KafkaConnection, kafkaClient } from './kafka-client.js';
import { KafkaProducer } from './kafka-producer.js';

export interface KafkaTargetsOptions {
  /** Baton's own Kafka; null: it has none. */
  cluster: KafkaConnection | null;
  clientId: string;
  logger: Logger;
  /** The longest time of one send, ms. */
  timeoutMs?: number;
  /** A connection that nobody used for so long is closed by the next that is opened, ms. */
  idleMs?: number;
  now?: () => number;
}

/** The Kafkas that a process may write to: Baton's own, and those of connections of its environment; a producer each. */
export class KafkaTargets {
  readonly #producers = new Map<string, { producer: BusProducer; usedAt: number; busy: number }>();

  constructor(private readonly options: KafkaTargetsOptions) {}

  /** `url`: of a connection; without it Baton's own. Null: there is none. Throws with the reason when the URL is none. */
  producer(url?: string): Pick<BusProducer, 'send'> | null {
    const { cluster, clientId } = this.options;
    if (url === undefined && cluster === null) return null;
    const entry = this.#entry(url ?? '', () => (url === undefined && cluster ? cluster : kafkaOf(url ?? '', clientId)));
    return {
      send: async (topic, messages, options) => {
        entry.busy += 1;
        try {
          return await entry.producer.send(topic, messages, options);
        } finally {
          entry.busy -= 1;
          entry.usedAt = this.#now();
        }
      },
    };
  }

  async close(): Promise<void> {
    const all = [...this.#producers.values()];
    this.#producers.clear();
    await Promise.all(all.map(({ producer }) => producer.close()));
  }

  #entry(key: string, connection: () => KafkaConnection) {
    this.#forgetUnused();
    const known = this.#producers.get(key);
    if (known) {
      known.usedAt = this.#now();
      return known;
    }
    const { logger, timeoutMs } = this.options;
    const kafka = kafkaClient(connection(), logger);
    const producer = new KafkaProducer({ kafka, logger, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    const entry = { producer, usedAt: this.#now(), busy: 0 };
    this.#producers.set(key, entry);
    return entry;
  }

  #forgetUnused(): void {
    const { idleMs = 300_000, logger } = this.options;
    for (const [key, { producer, usedAt, busy }] of this.#producers) {
      if (key === '' || busy > 0 || this.#now() - usedAt < idleMs) continue;
      this.#producers.delete(key);
      producer.close().catch((error: unknown) => logger.debug({ err: error }, 'a producer could not be closed'));
    }
  }

  #now(): number {
    return (this.options.now ?? (() => performance.now()))();
  }
}

const form = 'kafka://USER:PASSWORD@HOST:PORT,HOST:PORT?mechanism=scram-sha-512 (kafkas:// with TLS)';
const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

/** A connection from its URL. Throws with what is wrong, never with what it holds: it may hold a password. */
export function kafkaOf(url: string, clientId: string): KafkaConnection {
  const parts = /^(kafkas?):\/\/(?:([^:@/?]+):([^@/?]*)@)?([^/?@]+)\/?(?:\?(.*))?$/.exec(url);
  const [, scheme, user, password = '', hosts = '', query = ''] = parts ?? [];
  const brokers = hosts.split(',');
  if (!parts || !brokers.every((broker) => /^([^\s:]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/.test(broker)))
    throw new Error(`The URL of the connection is none of a Kafka: write it as ${form}.`);
  const parameters = new URLSearchParams(query);
  const unknown = [...parameters.keys()].find((name) => name !== 'mechanism');
  if (unknown !== undefined)
    throw new Error(`The URL of the connection has the parameter "${unknown}": only mechanism is known.`);
  const asked = parameters.get('mechanism') ?? 'plain';
  const mechanism = mechanisms.find((one) => one === asked);
  if (mechanism === undefined)
    throw new Error(`The URL of the connection names the mechanism "${asked}": take one of ${mechanisms.join(', ')}.`);
  return {
    brokers: hosts,
    clientId,
    ...(scheme === 'kafkas' ? { tls: {} } : {}),
    ...(user === undefined
      ? {}
      : { sasl: { mechanism, username: decodeURIComponent(user), password: decodeURIComponent(password) } }),
  };
}
