import { busVariables, checkBus, type KafkaSettings, kafkaSettings } from '@baton/bus';
import { loadConfig, readTraceSettings, serviceVariables, type TraceSettings } from '@baton/telemetry';
import { z } from 'zod';

const variables = z
  .object({
    ...serviceVariables,
    BATON_POLL_MS: z.coerce.number().int().min(10).max(3_600_000).optional(),
    BATON_CONNECTIONS: z.coerce.number().int().min(2).max(200).default(8),
    LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    ...busVariables,
  })
  .superRefine(checkBus);

export interface SchedulerConfig {
  databaseUrl: string;
  host: string;
  port: number;
  cell: string;
  notify: boolean;
  /** Instead of the cluster's settings `polling.*`; for tests. */
  pollMs: number | null;
  connections: number;
  logLevel: string;
  /** null: the embedded bus. */
  kafka: KafkaSettings | null;
  /** Of the standard variables of OpenTelemetry. Absent: no traces are exported. */
  traces?: TraceSettings;
}

/** The configuration, or every fault of it by name. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): SchedulerConfig {
  const env = loadConfig(variables, environment);
  return {
    databaseUrl: env.DATABASE_URL,
    host: env.HOST,
    port: env.PORT,
    cell: env.BATON_CELL,
    notify: env.BATON_NOTIFY,
    pollMs: env.BATON_POLL_MS ?? null,
    connections: env.BATON_CONNECTIONS,
    logLevel: env.LOG_LEVEL,
    kafka: kafkaSettings(env),
    traces: readTraceSettings(environment),
  };
}
