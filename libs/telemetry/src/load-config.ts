import { z } from 'zod';

/** What a service was given at its start is not usable; the message names every fault. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  constructor(readonly faults: { variable: string; fault: string }[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map(({ variable, fault }) => `  ${variable}: ${fault}`).join('\n')}`,
    );
  }
}

/** Reads a service's settings from the environment. An empty variable counts as not given. */
export function loadConfig<S extends z.ZodType>(schema: S, environment: NodeJS.ProcessEnv = process.env): z.output<S> {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map((issue) => ({
      variable: issue.path.join('.') || '(all)',
      fault:
        issue.code === 'invalid_type' && given[String(issue.path[0])] === undefined
          ? `is missing (${issue.message})`
          : issue.message,
    })),
  );
}

/** `on` or `off`, as settings are written. */
export const onOff = z.enum(['on', 'off']).transform((value) => value === 'on');

/** A comma-separated list. */
export const commaList = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
