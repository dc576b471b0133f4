import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { commaList, onOff } from '@baton/telemetry';
import { z } from 'zod';
import type { KafkaConnection, SaslSettings } from './kafka-client.js';
import type { TopicSettings } from './topics.js';

/** Where the broker is, how to talk to it, and how topics are made. */
export type KafkaSettings = Omit<KafkaConnection, 'clientId'> & { topics: TopicSettings };

const wholeNumber = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** The text of a file that a variable names. */
const file = z.string().transform((path, context) => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    context.addIssue(`the file cannot be read: ${messageOf(error)}`);
    return z.NEVER;
  }
});
const certificates = file.superRefine((text, context) => {
  try {
    for (const one of text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [text])
      new X509Certificate(one);
  } catch {
    context.addIssue('the file holds no certificate in PEM (-----BEGIN CERTIFICATE-----)');
  }
});
const privateKey = file.superRefine((text, context) => {
  try {
    createPrivateKey(text);
  } catch (error) {
    context.addIssue(`the file holds no private key in PEM without a passphrase: ${messageOf(error)}`);
  }
});

/** The bus's part of a service's environment, the same for every service. Spread into its own; `checkBus` refines it. */
export const busVariables = {
  BATON_BUS: z.enum(['embedded', 'kafka']).default('embedded'),
  KAFKA_BROKERS: commaList
    .refine((brokers) => brokers.every((broker) => /^[^\s:/]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/.test(broker)), {
      error: 'give host:port, comma-separated, without a scheme: kafka-1:9092,kafka-2:9092',
    })
    .optional(),
  KAFKA_SSL: onOff.default(false),
  KAFKA_SSL_CA: certificates.optional(),
  KAFKA_SSL_CERT: certificates.optional(),
  KAFKA_SSL_KEY: privateKey.optional(),
  KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
  /** What Kubernetes and Docker mount; a newline at its end is the editor's, not the password's. */
  KAFKA_SASL_PASSWORD_FILE: file.transform((text) => text.replace(/\r?\n$/, '')).optional(),
  BATON_TOPIC_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{0,100}$/, 'letters, digits, ".", "_" and "-"')
    .default(''),
  BATON_TOPIC_PARTITIONS: wholeNumber(1, 10_000).default(12),
  /** -1: the broker's own default. */
  BATON_TOPIC_REPLICATION: wholeNumber(-1, 100).default(-1),
  /** -1: for ever. */
  BATON_TOPIC_RETENTION_MS: wholeNumber(-1, Number.MAX_SAFE_INTEGER).optional(),
  BATON_TOPIC_MIN_INSYNC: wholeNumber(1, 100).optional(),
  BATON_TOPIC_CREATE: onOff.default(true),
};

type BusEnvironment = z.output<z.ZodObject<typeof busVariables>>;

/** For `superRefine`: what no variable shows alone. */
export function checkBus(env: BusEnvironment, context: z.core.$RefinementCtx<unknown>): void {
  for (const [variable, fault] of faultsOf(env)) context.addIssue({ code: 'custom', path: [variable], message: fault });
}

function faultsOf(env: BusEnvironment): [keyof BusEnvironment, string][] {
  const faults: [keyof BusEnvironment, string][] = [];
  if (env.BATON_BUS === 'embedded') return faults;
  if ((env.KAFKA_BROKERS ?? []).length === 0)
    faults.push(['KAFKA_BROKERS', 'BATON_BUS=kafka needs the brokers: host:port, comma-separated']);
  for (const variable of ['KAFKA_SSL_CA', 'KAFKA_SSL_CERT', 'KAFKA_SSL_KEY'] as const)
    if (env[variable] !== undefined && !env.KAFKA_SSL)
      faults.push([variable, 'is given, but KAFKA_SSL is off: set KAFKA_SSL=on, or leave it out']);
  if (env.KAFKA_SSL_CERT !== undefined && env.KAFKA_SSL_KEY === undefined)
    faults.push(['KAFKA_SSL_KEY', 'KAFKA_SSL_CERT needs the key of the certificate: give its file']);
  if (env.KAFKA_SSL_KEY !== undefined && env.KAFKA_SSL_CERT === undefined)
    faults.push(['KAFKA_SSL_CERT', 'KAFKA_SSL_KEY needs its certificate: give its file']);
  const { KAFKA_SASL_PASSWORD: password, KAFKA_SASL_PASSWORD_FILE: fromFile } = env;
  if (env.KAFKA_SASL_MECHANISM === undefined) {
    for (const variable of ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD', 'KAFKA_SASL_PASSWORD_FILE'] as const)
      if (env[variable] !== undefined)
        faults.push([
          'KAFKA_SASL_MECHANISM',
          `${variable} is given, but no mechanism: plain, scram-sha-256 or scram-sha-512`,
        ]);
  } else {
    if (env.KAFKA_SASL_USERNAME === undefined)
      faults.push(['KAFKA_SASL_USERNAME', 'KAFKA_SASL_MECHANISM needs the name of the user']);
    if (password === undefined && fromFile === undefined)
      faults.push([
        'KAFKA_SASL_PASSWORD',
        'KAFKA_SASL_MECHANISM needs the password, here or in KAFKA_SASL_PASSWORD_FILE',
      ]);
    if (password !== undefined && fromFile !== undefined)
      faults.push(['KAFKA_SASL_PASSWORD_FILE', 'KAFKA_SASL_PASSWORD is given too: give one of them']);
  }
  return faults;
}

/** Null: the embedded bus. */
export function kafkaSettings(env: BusEnvironment): KafkaSettings | null {
  if (env.BATON_BUS === 'embedded') return null;
  return {
    brokers: (env.KAFKA_BROKERS ?? []).join(','),
    ...(env.KAFKA_SSL && { tls: { ca: env.KAFKA_SSL_CA, cert: env.KAFKA_SSL_CERT, key: env.KAFKA_SSL_KEY } }),
    ...saslOf(env),
    topics: {
      prefix: env.BATON_TOPIC_PREFIX,
      partitions: env.BATON_TOPIC_PARTITIONS,
      replication: env.BATON_TOPIC_REPLICATION,
      retentionMs: env.BATON_TOPIC_RETENTION_MS,
      minInSync: env.BATON_TOPIC_MIN_INSYNC,
      create: env.BATON_TOPIC_CREATE,
    },
  };
}

function saslOf(env: BusEnvironment): { sasl: SaslSettings } | undefined {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username } = env;
  const password = env.KAFKA_SASL_PASSWORD ?? env.KAFKA_SASL_PASSWORD_FILE;
  if (mechanism === undefined || username === undefined || password === undefined) return undefined;
  return { sasl: { mechanism, username, password } };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
