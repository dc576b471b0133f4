/**
 * Job: `baton up`: the whole system on one machine, each service a process of its own.
 * Boundary: the services are those of a split deployment, told by environment variables alone.
 * Invariants:
 *  1. Whatever way this process ends, its children, its PostgreSQL and its Kafka broker end.
 *  2. `baton.json` names the processes that run; it is rewritten whenever one is replaced.
 *  3. An executor's exit is recorded as proof of its end (design 2), whoever killed it.
 *  4. A clean end goes outside in: executors and scheduler hand back, then intake, then Kafka and PostgreSQL.
 */
import { join } from 'node:path';
import { freePort } from '@baton/postgres';
import { type ChildExit, ChildService } from './child-service.js';
import { DataFolder } from './data-folder.js';
import { EmbeddedDatabase } from './embedded-database.js';
import { ExitRecord } from './exit-record.js';
import { LocalKafka } from './local-kafka.js';
import type { StandaloneOptions } from './standalone.options.js';

export interface Standalone {
  url: string;
  token: string;
  /** Where events go over Kafka. */
  brokers?: string;
  /** Ends everything in order. */
  stop(): Promise<void>;
  /** Ends everything at once. */
  kill(): void;
}

export interface StandaloneEnvironment {
  /** The folder that holds `<app>/main.js` of every app. */
  apps: string;
  /** The script that starts a Kafka broker. */
  broker: string;
  say(text: string): void;
  environment: NodeJS.ProcessEnv;
}

const graceMs = 30_000;
/** How a broker is talked to; an empty variable counts as not given. */
const connectionVariables = [
  ...['KAFKA_SSL', 'KAFKA_SSL_CA', 'KAFKA_SSL_CERT', 'KAFKA_SSL_KEY'],
  ...['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD', 'KAFKA_SASL_PASSWORD_FILE'],
];

export async function startStandalone(options: StandaloneOptions, host: StandaloneEnvironment): Promise<Standalone> {
  const folder = DataFolder.take(options.data);
  const secrets = folder.secrets();
  const { say } = host;
  let database: EmbeddedDatabase | undefined;
  let kafka: LocalKafka | undefined;
  const services: ChildService[] = [];
  let exitRecord: ExitRecord | undefined;
  let stopping = false;

  const stop = async () => {
    stopping = true;
    const [intake, ...others] = services;
    await Promise.all(others.map((service) => service.stop(graceMs)));
    await intake?.stop(graceMs);
    await exitRecord?.stop();
    await Promise.all([kafka?.stop(), database?.stop()]);
    folder.leave();
  };

  try {
    // Both are waited for, so that whichever comes up is ended when the other does not.
    const [databaseStart, kafkaStart] = await Promise.allSettled([
      options.database ? undefined : EmbeddedDatabase.start(folder, secrets.databasePassword, say, () => tell()),
      options.kafka === 'local'
        ? LocalKafka.start({
            script: host.broker,
            directory: folder.file('kafka'),
            logFile: folder.file('logs/kafka.log'),
            restart: options.restart,
            say,
            onChange: () => tell(),
          })
        : undefined,
    ]);
    if (databaseStart.status === 'fulfilled') database = databaseStart.value;
    if (kafkaStart.status === 'fulfilled') kafka = kafkaStart.value;
    for (const start of [databaseStart, kafkaStart]) if (start.status === 'rejected') throw start.reason;
    const brokers = kafka?.brokers ?? (options.kafka !== 'local' ? options.kafka?.brokers : undefined);
    const databaseUrl = options.database ?? database?.url ?? '';
    exitRecord = new ExitRecord(databaseUrl, say);
    const port = options.port === 0 ? await freePort() : options.port;
    const url = `http://127.0.0.1:${port}`;
    const common: NodeJS.ProcessEnv = {
      ...host.environment,
      DATABASE_URL: databaseUrl,
      HOST: '127.0.0.1',
      BATON_SECRET_KEY: secrets.secretKey,
      BATON_ALLOW_ADDRESSES: options.allowAddresses.join(','),
      BATON_ALLOW_SCRIPT: host.environment['BATON_ALLOW_SCRIPT'] || 'on',
      ...(brokers === undefined ? {} : { BATON_BUS: 'kafka', KAFKA_BROKERS: brokers }),
      // Our own broker takes no password; what the environment says is for another.
      ...(kafka === undefined ? {} : Object.fromEntries(connectionVariables.map((name) => [name, '']))),
      ...(options.otlp === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: options.otlp }),
      ...(options.operators === undefined ? {} : { BATON_OPERATORS: options.operators }),
    };

    const add = (name: string, app: string, environment: NodeJS.ProcessEnv): ChildService => {
      const service = new ChildService({
        name,
        entry: join(host.apps, app, 'main.js'),
        environment: { ...common, ...environment },
        logFile: folder.file(`logs/${name}.log`),
        restart: options.restart,
        onReady: () => tell(),
        onExit: (exit) => {
          const told = exit.report?.executor;
          if (told !== undefined) void exitRecord?.record(told, exit);
          if (!stopping) say(exitText(name, exit, folder.file(`logs/${name}.log`)));
          tell();
        },
      });
      services.push(service);
      return service;
    };
    const intake = add('intake', 'intake', {
      PORT: String(port),
      BATON_MIGRATE: 'on',
      BATON_ADMIN_TOKEN: secrets.adminToken,
    });
    const scheduler = add('scheduler', 'scheduler', { PORT: '0' });
    const executors = Array.from({ length: options.executors }, (_, index) =>
      add(`executor-${index + 1}`, 'executor', { PORT: '0' }),
    );

    const tell = () => {
      if (stopping) return;
      folder.tell({
        url,
        token: secrets.adminToken,
        database: databaseUrl,
        ...(brokers === undefined ? {} : { brokers }),
        pids: {
          parent: process.pid,
          ...(database?.pid === undefined ? {} : { postgres: database.pid }),
          ...(kafka?.pid === undefined ? {} : { kafka: kafka.pid }),
          ...(intake.pid === null ? {} : { intake: intake.pid }),
          ...(scheduler.pid === null ? {} : { scheduler: scheduler.pid }),
          executors: executors.flatMap((executor) => executor.pid ?? []),
        },
      });
    };

    await intake.start();
    await Promise.all([scheduler, ...executors].map((service) => service.start()));
    await exitRecord.prepare();
    tell();
    return {
      url,
      token: secrets.adminToken,
      ...(brokers === undefined ? {} : { brokers }),
      stop,
      kill: () => {
        for (const service of services) service.kill();
        kafka?.kill();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function exitText(name: string, exit: ChildExit, logFile: string): string {
  const how = exit.signal ? `was killed by ${exit.signal}` : `ended with ${exit.code}`;
  const next = exit.nextStartInMs === null ? 'It stays dead.' : `Starting it again in ${exit.nextStartInMs} ms.`;
  return `${name} (process ${exit.pid}) ${how}. ${next} Its log: ${logFile}`;
}
