import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConfigError, loadConfig } from '@baton/telemetry';
import { type KafkaBroker, kafkaBroker, kafkaMissing } from '@baton/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { silentLogger } from '../contract/bus-log.fixture.js';
import { busVariables, checkBus, kafkaSettings } from './kafka.settings.js';
import { kafkaClient } from './kafka-client.js';
import { KafkaProducer } from './kafka-producer.js';

const schema = z.object(busVariables).superRefine(checkBus);
const read = (environment: Record<string, string>) => kafkaSettings(loadConfig(schema, environment));
function faultsOf(environment: Record<string, string>): string[] {
  try {
    read(environment);
    return [];
  } catch (error) {
    return (error as ConfigError).faults.map(({ variable, fault }) => `${variable}: ${fault}`);
  }
}
const kafka = { BATON_BUS: 'kafka', KAFKA_BROKERS: 'one:9092, two:9092' };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-bus-settings-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('the settings of the bus', () => {
  it('are the embedded bus where nothing is said', () => {
    expect(read({})).toBeNull();
    expect(read({ KAFKA_BROKERS: 'one:9092' })).toBeNull();
  });

  it('tell where the brokers are and how topics are made', () => {
    expect(read(kafka)).toEqual({
      brokers: 'one:9092,two:9092',
      topics: { prefix: '', partitions: 12, replication: -1, create: true },
    });
    const topics = {
      ...{ BATON_TOPIC_PREFIX: 'test.', BATON_TOPIC_PARTITIONS: '3', BATON_TOPIC_REPLICATION: '3' },
      ...{ BATON_TOPIC_RETENTION_MS: '-1', BATON_TOPIC_MIN_INSYNC: '2', BATON_TOPIC_CREATE: 'off' },
    };
    expect(read({ ...kafka, ...topics })?.topics).toEqual({
      ...{ prefix: 'test.', partitions: 3, replication: 3, retentionMs: -1, minInSync: 2, create: false },
    });
  });

  it('take the password from the environment or from a file, without the newline at its end', () => {
    const user = { ...kafka, KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'baton' };
    expect(read({ ...user, KAFKA_SASL_PASSWORD: 'secret' })?.sasl?.password).toBe('secret');
    expect(read({ ...user, KAFKA_SASL_PASSWORD_FILE: file('password', 'se cret\n') })?.sasl).toEqual({
      ...{ mechanism: 'plain', username: 'baton', password: 'se cret' },
    });
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['no brokers', { BATON_BUS: 'kafka' }, ['KAFKA_BROKERS: BATON_BUS=kafka needs the brokers']],
    ['a URL', { ...kafka, KAFKA_BROKERS: 'kafka://one:9092' }, ['KAFKA_BROKERS: give host:port']],
    ['another bus', { BATON_BUS: 'rabbit' }, ['BATON_BUS: ']],
    [
      'a file that is not there',
      { ...kafka, KAFKA_SSL: 'on', KAFKA_SSL_CA: 'no/such' },
      ['KAFKA_SSL_CA: the file cannot be read: ENOENT'],
    ],
    ['TLS off', { ...kafka, KAFKA_SSL_CA: '{text}' }, ['KAFKA_SSL_CA: the file holds no certificate']],
    [
      'a key without its certificate',
      { ...kafka, KAFKA_SSL: 'on', KAFKA_SSL_KEY: '{text}' },
      ['KAFKA_SSL_KEY: the file holds no private key'],
    ],
    ['a mechanism of its own', { ...kafka, KAFKA_SASL_MECHANISM: 'ntlm' }, ['KAFKA_SASL_MECHANISM: ']],
    [
      'a mechanism alone',
      { ...kafka, KAFKA_SASL_MECHANISM: 'plain' },
      ['KAFKA_SASL_USERNAME: ', 'KAFKA_SASL_PASSWORD: '],
    ],
    [
      'a password alone',
      { ...kafka, KAFKA_SASL_PASSWORD: 'x' },
      ['KAFKA_SASL_MECHANISM: KAFKA_SASL_PASSWORD is given'],
    ],
    [
      'two passwords',
      {
        ...kafka,
        KAFKA_SASL_MECHANISM: 'plain',
        KAFKA_SASL_USERNAME: 'x',
        KAFKA_SASL_PASSWORD: 'x',
        KAFKA_SASL_PASSWORD_FILE: '{text}',
      },
      ['KAFKA_SASL_PASSWORD_FILE: KAFKA_SASL_PASSWORD is given too'],
    ],
  ])('name each fault with its variable and remedy: %s', (_, environment, wanted) => {
    const text = file('text', 'no certificate');
    const given = Object.entries(environment).map(([name, value]) => [name, value.replace('{text}', text)]);
    const faults = faultsOf(Object.fromEntries(given));
    expect(faults).toHaveLength(wanted.length);
    for (const [n, start] of wanted.entries()) expect(faults[n]).toContain(start);
  });
});

const missing = kafkaMissing();
if (missing !== null) console.warn(`LEFT OUT: TLS and SASL with a real Kafka broker; ${missing}`);

describe.runIf(missing === null)('a broker that asks for TLS and a password', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await kafkaBroker({ user: 'baton:pass-word' });
  }, 240_000);
  afterAll(() => broker.stop());

  async function topics(environment: Record<string, string>): Promise<string[]> {
    const settings = read({ BATON_BUS: 'kafka', ...environment });
    if (!settings) throw new Error('no settings');
    const admin = kafkaClient({ ...settings, clientId: 'spec' }, silentLogger).admin({ retry: { retries: 0 } });
    try {
      await admin.connect();
      return await admin.listTopics();
    } finally {
      await admin.disconnect();
    }
  }
  const secure = (mechanism: string, password: string) => ({
    ...{ KAFKA_BROKERS: broker.secure?.brokers ?? '', KAFKA_SSL: 'on', KAFKA_SSL_CA: broker.secure?.ca ?? '' },
    ...{ KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: 'baton', KAFKA_SASL_PASSWORD: password },
  });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])(
    'lets %s in, and nobody with another password',
    async (mechanism) => {
      expect(await topics(secure(mechanism, 'pass-word'))).toEqual([]);
      await expect(topics(secure(mechanism, 'other'))).rejects.toThrow(/authentication failed/i);
    },
  );

  it('is not talked to without a certificate that is trusted', async () => {
    const { KAFKA_SSL_CA: _, ...untrusted } = secure('plain', 'pass-word');
    await expect(topics(untrusted)).rejects.toThrow(/self-signed|certificate/);
  });

  it('tells a service the variables to look at, in its log and in the error of what it sends', async () => {
    const told: string[] = [];
    const tell = (_: object, text: string) => void told.push(text);
    const logger = { ...silentLogger, warn: tell };
    const sent = async (environment: Record<string, string>) => {
      const settings = read({ BATON_BUS: 'kafka', ...environment });
      if (!settings) throw new Error('no settings');
      const producer = new KafkaProducer({ kafka: kafkaClient({ ...settings, clientId: 'spec' }, logger), logger });
      try {
        return await producer.send('any', [{ value: 'x' }], { timeoutMs: 4_000 });
      } finally {
        await producer.close();
      }
    };
    await expect(sent(secure('plain', 'other'))).rejects.toMatchObject({
      fault: 'not-allowed',
      outcome: 'not-sent',
      message: expect.stringMatching(/check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/),
    });
    expect(told.join('\n')).toMatch(/check KAFKA_SASL_MECHANISM/);
    const { KAFKA_SSL_CA: _, ...untrusted } = secure('plain', 'pass-word');
    await expect(sent(untrusted)).rejects.toMatchObject({ message: expect.stringMatching(/KAFKA_SSL_CA/) });
  });

  it('takes certificate and key of a client where they are given', async () => {
    const [key, cert] = [join(folder, 'client.key'), join(folder, 'client.pem')];
    const subject = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=c'];
    expect(spawnSync('openssl', ['req', ...subject, '-keyout', key, '-out', cert]).status).toBe(0);
    const environment = { ...secure('plain', 'pass-word'), KAFKA_SSL_CERT: cert, KAFKA_SSL_KEY: key };
    expect(read({ BATON_BUS: 'kafka', ...environment })?.tls?.key).toBe(readFileSync(key, 'utf8'));
    expect(await topics(environment)).toEqual([]);
  });
});
