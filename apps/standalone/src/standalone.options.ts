import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface StandaloneOptions {
  /** Holds the database, the logs and `baton.json`. */
  data: string;
  /** The address of the REST API; 0 takes a free port. */
  port: number;
  executors: number;
  /** A PostgreSQL of the user's own instead of the embedded one. */
  database?: string;
  /** A module with operator types of the user's own. */
  operators?: string;
  /** Networks that are refused to `http` operators by default, in CIDR notation. */
  allowAddresses: string[];
  /** Null: the embedded bus. Otherwise a broker of our own, or (host:port, comma-separated) those that are there. */
  kafka: 'local' | { brokers: string } | null;
  /** Where traces, metrics and logs are sent. */
  otlp?: string;
  /** Whether a child that died is started again. */
  restart: boolean;
}

export const defaultOptions: StandaloneOptions = {
  data: resolve('.baton'),
  port: 7400,
  executors: 3,
  allowAddresses: [],
  kafka: null,
  restart: true,
};

/** Wrong use of the command line: said in one line, exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export const usage = `Usage: baton up [options]
  --data DIR             where the database and baton.json live (default .baton)
  --port N               the port of the REST API on 127.0.0.1 (default 7400, 0: a free one)
  --executors N          how many executors (default 3)
  --database URL         a PostgreSQL of your own instead of the embedded one
  --kafka                exchange events over a Kafka broker of its own (needs Java 17; Maven the first time)
  --brokers LIST         exchange events over these Kafka brokers: host:port, comma-separated
  --otlp URL             send traces and metrics to this OTLP endpoint
  --operators MODULE     a module that exports operator types of your own
  --allow-address CIDR   let operators reach addresses that are refused by default (repeatable)
  --no-restart           leave a child that died dead
Example: baton up --data /var/lib/baton --executors 5`;

/** The options of \`baton up\`. */
export function parseOptions(args: string[], environment: NodeJS.ProcessEnv = process.env): StandaloneOptions {
  const values = parse(args);
  const options: StandaloneOptions = {
    ...defaultOptions,
    port: wholeNumber('--port', values.port, defaultOptions.port, 0, 65_535),
    executors: wholeNumber('--executors', values.executors, defaultOptions.executors, 1, 64),
    allowAddresses: [
      ...(environment['BATON_ALLOW_ADDRESSES'] ?? '').split(',').map((item) => item.trim()),
      ...(values['allow-address'] ?? []),
    ].filter((item) => item !== ''),
    kafka: kafkaOf(values, environment),
    restart: values.restart ?? true,
  };
  if (values.data !== undefined) options.data = resolve(values.data);
  const database = values.database ?? (environment['DATABASE_URL'] || undefined);
  if (database !== undefined) {
    if (!/^postgres(ql)?:\/\//.test(database))
      throw new UsageError('--database: give a PostgreSQL URL: postgres://user:password@host:5432/database');
    options.database = database;
  }
  const operators = values.operators ?? (environment['BATON_OPERATORS'] || undefined);
  if (operators !== undefined) options.operators = resolve(operators);
  if (values.otlp !== undefined) {
    if (!/^https?:\/\/[^/]/.test(values.otlp)) throw new UsageError('--otlp: give a URL: http://collector:4318');
    options.otlp = values.otlp;
  }
  return options;
}

/** What is said on the command line counts more than the environment. */
function kafkaOf(
  values: { kafka?: boolean; brokers?: string },
  environment: NodeJS.ProcessEnv,
): StandaloneOptions['kafka'] {
  if (values.kafka && values.brokers !== undefined)
    throw new UsageError('--kafka starts a broker, --brokers uses those that are there: give one of them');
  if (values.kafka) return 'local';
  if (values.kafka === false || (values.brokers === undefined && environment['BATON_BUS'] === 'embedded')) return null;
  const brokers = values.brokers ?? (environment['KAFKA_BROKERS'] || undefined);
  if (brokers === undefined) return null;
  const all = brokers.split(',').map((broker) => broker.trim());
  const wrong = all.find((broker) => !/^[^\s:/]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/.test(broker));
  if (wrong !== undefined)
    throw new UsageError(
      `--brokers: "${wrong}" is no broker; give host:port, comma-separated: kafka-1:9092,kafka-2:9092`,
    );
  return { brokers: all.join(',') };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowNegative: true,
      options: {
        data: { type: 'string' },
        port: { type: 'string' },
        executors: { type: 'string' },
        database: { type: 'string' },
        operators: { type: 'string' },
        kafka: { type: 'boolean' },
        brokers: { type: 'string' },
        otlp: { type: 'string' },
        'allow-address': { type: 'string', multiple: true },
        restart: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(name: string, text: string | undefined, preset: number, least: number, most: number): number {
  if (text === undefined) return preset;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new UsageError(`${name}: "${text}" is not a whole number from ${least} to ${most}`);
}
