import { z } from 'zod';

const flag = z.enum(['on', 'off']);
const schema = z.object({
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'give a PostgreSQL URL: postgres://user:password@host:5432/database'),
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(7400),
  BATON_CELL: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,15}$/, 'lower-case letters and digits, beginning with a letter, at most 16')
    .default('c1'),
  BATON_SECRET_KEY: z.string().min(1, 'give 32 random bytes in base64: openssl rand -base64 32'),
  BATON_ADMIN_TOKEN: z
    .string()
    .regex(
      /^bt_[A-Za-z0-9]{12}_[A-Za-z0-9_-]{43}$/,
      'give a token of the form bt_ID_SECRET, as `baton token create` makes them',
    )
    .optional(),
  BATON_MIGRATE: flag.default('off'),
  BATON_NOTIFY: flag.default('on'),
  BATON_OPERATORS: z.string().optional(),
  BATON_CONNECTIONS: z.coerce.number().int().min(2).max(200).default(8),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

export interface IntakeConfig {
  databaseUrl: string;
  host: string;
  port: number;
  cell: string;
  secretKey: string;
  adminToken: string | null;
  migrate: boolean;
  notify: boolean;
  operators: string | null;
  connections: number;
  logLevel: string;
}

/** The configuration, or every fault of it by name. */
export function readConfig(environment: NodeJS.ProcessEnv): IntakeConfig {
  const result = schema.safeParse(environment);
  if (!result.success) {
    const faults = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`The configuration of intake has faults:\n${faults.join('\n')}`);
  }
  const env = result.data;
  return {
    databaseUrl: env.DATABASE_URL,
    host: env.HOST,
    port: env.PORT,
    cell: env.BATON_CELL,
    secretKey: env.BATON_SECRET_KEY,
    adminToken: env.BATON_ADMIN_TOKEN ?? null,
    migrate: env.BATON_MIGRATE === 'on',
    notify: env.BATON_NOTIFY === 'on',
    operators: env.BATON_OPERATORS ?? null,
    connections: env.BATON_CONNECTIONS,
    logLevel: env.LOG_LEVEL,
  };
}

export class ConfigError extends Error {
  override name = 'ConfigError';
}
