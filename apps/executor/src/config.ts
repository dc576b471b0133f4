import { busVariables, checkBus, kafkaSettings } from '@baton/bus';
import { operatorOptionsFrom } from '@baton/operators';
import { ConfigError, loadConfig, readTraceSettings, serviceVariables } from '@baton/telemetry';
import { z } from 'zod';
import { parseCrashPlan } from './crash/crash-points.js';

const milliseconds = (least: number) => z.coerce.number().int().min(least).max(3_600_000);

const variables = z
  .object({
    ...serviceVariables,
    BATON_SECRET_KEY: z.string(),
    /** These three are cluster settings; given here, they hold for this server alone. */
    BATON_LEASE_MS: milliseconds(500).optional(),
    BATON_HEARTBEAT_MS: milliseconds(100).optional(),
    BATON_POLL_MS: milliseconds(10).optional(),
    BATON_GRACE_MS: milliseconds(0).default(20_000),
    BATON_CAPACITY: z.coerce.number().int().min(1).max(100_000).default(1000),
    BATON_LANES: z.coerce.number().int().min(1).max(32).default(2),
    BATON_QUARANTINE_DEATHS: z.coerce.number().int().min(1).max(1_000_000).optional(),
    ...busVariables,
    BATON_CRASH_POINT: z
      .string()
      .transform((text, context) => {
        try {
          return parseCrashPlan(text);
        } catch (error) {
          context.addIssue(error instanceof Error ? error.message : String(error));
          return z.NEVER;
        }
      })
      .optional(),
  })
  .superRefine(checkBus);

export type ExecutorConfig = ReturnType<typeof readConfig>;

/** The configuration, or every fault of it by name. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env) {
  const env = loadConfig(variables, environment);
  const lease = env.BATON_LEASE_MS ?? 3000;
  const heartbeat = env.BATON_HEARTBEAT_MS ?? Math.min(1000, lease / 3);
  if (heartbeat * 2 > lease)
    throw new ConfigError([
      {
        variable: 'BATON_HEARTBEAT_MS',
        fault: `a lease of ${lease} ms needs a heartbeat at most every ${lease / 2} ms; raise BATON_LEASE_MS or lower this`,
      },
    ]);
  return {
    traces: readTraceSettings(environment),
    databaseUrl: env.DATABASE_URL,
    host: env.HOST,
    port: env.PORT,
    cell: env.BATON_CELL,
    secretKey: env.BATON_SECRET_KEY,
    leaseMs: env.BATON_LEASE_MS ?? null,
    heartbeatMs: env.BATON_HEARTBEAT_MS ?? null,
    pollMs: env.BATON_POLL_MS ?? null,
    graceMs: env.BATON_GRACE_MS,
    capacity: env.BATON_CAPACITY,
    lanes: env.BATON_LANES,
    notify: env.BATON_NOTIFY,
    quarantineDeaths: env.BATON_QUARANTINE_DEATHS ?? null,
    /** Null: the embedded bus. */
    kafka: kafkaSettings(env),
    crashPlan: env.BATON_CRASH_POINT ?? null,
    operators: operatorOptionsFrom(environment),
  };
}
