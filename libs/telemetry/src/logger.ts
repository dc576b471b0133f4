import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** Who speaks: `intake`, `executor`, … */
  service: string;
  level?: string;
  /** Standard output unless given. */
  destination?: DestinationStream;
  /** Takes out of a line what must not be read in logs (secrets). */
  mask?: (line: string) => string;
}

/** One JSON object per line: time, level and service first, then what the caller gave. */
export function createLogger(options: LoggerOptions): Logger {
  const { mask } = options;
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      ...(mask ? { hooks: { streamWrite: mask } } : {}),
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}
