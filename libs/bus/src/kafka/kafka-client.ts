import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import type { Logger } from '../bus.ports.js';
import { remedyFor } from './kafka-faults.js';
import { mendRequestQueue } from './kafkajs-request-queue.js';

export interface KafkaConnection {
  /** host:port, comma-separated. */
  brokers: string;
  clientId: string;
  tls?: TlsSettings;
  sasl?: SaslSettings;
}

/** Texts in PEM. */
export interface TlsSettings {
  /** Whom to trust; the certificate authorities of Node.js by default. */
  ca?: string | undefined;
  /** Who this is, where the broker wants a certificate of its clients. */
  cert?: string | undefined;
  key?: string | undefined;
}

export interface SaslSettings {
  mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  username: string;
  password: string;
}

/** What kafkajs calls errors and repairs by itself. */
const passing =
  /coordinator is loading|coordinator is not available|group is rebalancing|coordinator is not aware|not the leader|rebalance in progress/i;

/** For those who hold a client and pass it on. */
export type KafkaClient = Kafka;

export function kafkaClient(connection: KafkaConnection, logger: Logger): Kafka {
  const { brokers, clientId, tls, sasl } = connection;
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
  mendRequestQueue();
  const config: KafkaConfig = {
    clientId,
    brokers: brokers.split(',').map((broker) => broker.trim()),
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 5 },
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ level, log: { message, timestamp: _timestamp, logger: _logger, ...fields } }) => {
        const said = `${message} ${String(fields['error'] ?? '')}`;
        const remedy = remedyFor(said);
        const text = `kafka: ${message}${remedy && ` ${remedy}`}`;
        if (level <= logLevel.ERROR && !passing.test(said)) logger.warn({ kafka: fields }, text);
        else logger.debug({ kafka: fields }, text);
      },
    ...(tls === undefined ? {} : { ssl: tlsOptions(tls) }),
    ...(sasl === undefined ? {} : { sasl: saslOptions(sasl) }),
  };
  return new Kafka(config);
}

function tlsOptions({ ca, cert, key }: TlsSettings): Exclude<KafkaConfig['ssl'], undefined> {
  return { ...(ca === undefined ? {} : { ca: [ca] }), ...(cert === undefined ? {} : { cert, key }) };
}

function saslOptions({ mechanism, username, password }: SaslSettings): NonNullable<KafkaConfig['sasl']> {
  // One of three types of kafkajs each, told apart by the mechanism.
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
  }
}
