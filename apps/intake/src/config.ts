import { busVariables, checkBus, kafkaSettings } from '@baton/bus';
import { loadConfig, onOff, serviceVariables } from '@baton/telemetry';
import { z } from 'zod';

const schema = z
  .object({
    ...serviceVariables,
    PORT: serviceVariables.PORT.default(7400),
    BATON_SECRET_KEY: z.string(),
    BATON_ADMIN_TOKEN: z
      .string()
      .regex(/^bt_[A-Za-z0-9]{12}_[A-Za-z0-9_-]{43}$/, 'give a token of the form bt_ID_SECRET')
      .optional(),
    BATON_MIGRATE: onOff.default(false),
    BATON_OPERATORS: z.string().optional(),
    BATON_CONNECTIONS: z.coerce.number().int().min(2).max(200).default(8),
    ...busVariables,
  })
  .superRefine(checkBus)
  .transform((env) => ({
    databaseUrl: env.DATABASE_URL,
    host: env.HOST,
    port: env.PORT,
    cell: env.BATON_CELL,
    secretKey: env.BATON_SECRET_KEY,
    adminToken: env.BATON_ADMIN_TOKEN ?? null,
    migrate: env.BATON_MIGRATE,
    notify: env.BATON_NOTIFY,
    operators: env.BATON_OPERATORS ?? null,
    connections: env.BATON_CONNECTIONS,
    /** Null: the embedded bus. */
    kafka: kafkaSettings(env),
  }));

export type IntakeConfig = z.output<typeof schema>;

/** The configuration, or every fault of it by name. */
export function readConfig(environment: NodeJS.ProcessEnv): IntakeConfig {
  return loadConfig(schema, environment);
}
