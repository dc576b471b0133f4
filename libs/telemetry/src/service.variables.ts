import { z } from 'zod';
import { onOff } from './load-config.js';

/** What every service is told by its environment: where the database is, where it listens itself, whose log it is. */
export const serviceVariables = {
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'give a PostgreSQL URL: postgres://user:password@host:5432/database'),
  HOST: z.string().default('127.0.0.1'),
  /** 0: any that is free. */
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  BATON_CELL: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,15}$/, 'lower-case letters and digits, beginning with a letter, at most 16')
    .default('c1'),
  BATON_NOTIFY: onOff.default(true),
};
