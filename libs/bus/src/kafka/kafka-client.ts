import { readFileSync } from 'node:fs';
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import type { Logger } from '../bus.ports.js';

export interface KafkaConnection {
  /** host:port, comma-separated. */
  brokers: string;
  clientId: string;
  /** true: the system's certificate authorities; or a file of one's own. */
  tls?: boolean | { caFile: string };
  sasl?: SASLOptions;
}

/** What kafkajs calls errors and repairs by itself. */
const passing =
  /coordinator is loading|coordinator is not available|group is rebalancing|coordinator is not aware|not the leader|rebalance in progress/i;

export function kafkaClient(connection: KafkaConnection, logger: Logger): Kafka {
  const { brokers, clientId, tls, sasl } = connection;
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
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
        const text = `kafka: ${message}`;
        if (level <= logLevel.ERROR && !passing.test(`${message} ${String(fields['error'] ?? '')}`))
          logger.warn({ kafka: fields }, text);
        else logger.debug({ kafka: fields }, text);
      },
    ...(tls === undefined || tls === false
      ? {}
      : { ssl: tls === true ? true : { ca: [readFileSync(tls.caFile, 'utf8')] } }),
    ...(sasl === undefined ? {} : { sasl }),
  };
  return new Kafka(config);
}
