import type { SendFault } from '../producer/producer.port.js';

/** What lies under the wrappers that kafkajs puts around an error when it gives up. */
export function rootOf(error: unknown): Error & { type?: string } {
  let root: unknown = error;
  while (root instanceof Error && root.cause instanceof Error) root = root.cause;
  return root instanceof Error ? root : new Error(String(root));
}

/** A broker's answers that leave open whether it has written. */
const undecided = new Set([
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'KAFKA_STORAGE_ERROR',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN',
  'KAFKAJS_UNKNOWN_ERROR_CODE',
]);

/** True: the broker answered, and wrote nothing. */
export function isRefusal(error: unknown): boolean {
  const { type } = rootOf(error);
  return type !== undefined && !undecided.has(type);
}

const faults: Record<string, SendFault> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'no-such-topic',
  INVALID_TOPIC_EXCEPTION: 'no-such-topic',
  TOPIC_AUTHORIZATION_FAILED: 'not-allowed',
  CLUSTER_AUTHORIZATION_FAILED: 'not-allowed',
  SASL_AUTHENTICATION_FAILED: 'not-allowed',
  MESSAGE_TOO_LARGE: 'too-large',
  RECORD_LIST_TOO_LARGE: 'too-large',
  INVALID_RECORD: 'refused',
  INVALID_TIMESTAMP: 'refused',
  POLICY_VIOLATION: 'refused',
  UNSUPPORTED_VERSION: 'refused',
};

/** A fault that another attempt does not mend; null: it may pass. */
export function lastingFault(error: unknown): SendFault | null {
  const { type, name } = rootOf(error);
  if (name === 'KafkaJSSASLAuthenticationError') return 'not-allowed';
  return (type === undefined ? undefined : faults[type]) ?? null;
}

/** The producer's numbering is broken: only a new producer goes on. */
export function isNumberingLost(error: unknown): boolean {
  const { type = '' } = rootOf(error);
  return [
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'UNKNOWN_PRODUCER_ID',
    'INVALID_PRODUCER_EPOCH',
    'INVALID_PRODUCER_ID_MAPPING',
    'DUPLICATE_SEQUENCE_NUMBER',
  ].includes(type);
}

const remedies: readonly [RegExp, string][] = [
  [
    /authentication failed|SASLAuthentication/i,
    'Kafka refuses the user: check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.',
  ],
  [
    /self-signed|self signed|unable to (get|verify)|certificate/i,
    'The certificate of the broker is not trusted: name the authority that signed it with KAFKA_SSL_CA.',
  ],
  [
    /wrong version number|packet length too long/i,
    'The broker speaks no TLS at this port: give its TLS port in KAFKA_BROKERS, or set KAFKA_SSL=off.',
  ],
  [/ENOTFOUND|EAI_AGAIN/, 'There is no such host: check KAFKA_BROKERS.'],
];

/** What an operator can do about it; empty: wait. */
export function remedyFor(text: string): string {
  return remedies.find(([pattern]) => pattern.test(text))?.[1] ?? '';
}
