import { type DestinationStream, type Logger, pino } from 'pino';
import { type KnownTraces, knownTraces } from './known-traces.js';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** Who speaks: `intake`, `executor`, … */
  service: string;
  level?: string;
  /** Standard output unless given. */
  destination?: DestinationStream;
  /** Takes out of a line what must not be read in logs (secrets). */
  mask?: (line: string) => string;
  /** Where a line about a process (`process`, also `path` and `attempt`) gets its trace_id and span_id from. */
  traces?: Pick<KnownTraces, 'idsFor'>;
}

/** One JSON object per line: time, level and service first, then what the caller gave. */
export function createLogger(options: LoggerOptions): Logger {
  const { mask, traces = knownTraces } = options;
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => (typeof fields['process'] === 'string' ? { ...fields, ...traces.idsFor(fields) } : fields),
      },
      ...(mask ? { hooks: { streamWrite: mask } } : {}),
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}
