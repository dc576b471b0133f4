/**
 * Job: a service as the child of a supervisor (`baton up`, tests): it says when it is ready and ends with its parent.
 * Boundary: what to close, and in which order, is the service's.
 * Invariants:
 *  1. `close` runs at most once, whatever asks for the end: SIGTERM, SIGINT, or the parent's pipe that closes.
 *  2. The process ends after `close`, or at the deadline with code 1, whichever comes first; a second signal does not wait.
 *  3. Without a supervisor (no IPC channel) only the signals count.
 */
import type { Logger } from 'pino';

export interface ReadyReport {
  port: number;
  /** The incarnation of an executor, so that its supervisor can record its exit. */
  executor?: string;
}

interface SupervisedMessage extends ReadyReport {
  ready: true;
}

export interface SupervisedOptions {
  logger: Logger;
  close(reason: string): Promise<void>;
  /** How long `close` may take; 25 s unless given (Kubernetes kills after 30). */
  graceMs?: number;
}

export interface Supervised {
  ready(report: ReadyReport): void;
  /** Ends the process in the same manner, for a reason of the service's own (an executor that was declared lost). */
  end(reason: string, code?: number): Promise<void>;
}

export function supervised(options: SupervisedOptions): Supervised {
  const { logger, graceMs = 25_000 } = options;
  let ending: Promise<void> | undefined;

  const end = (reason: string, code = 0): Promise<void> => {
    ending ??= (async () => {
      logger.info({ reason }, 'ending');
      const deadline = setTimeout(() => {
        logger.error({ reason, graceMs }, 'did not end in time');
        process.exit(1);
      }, graceMs);
      deadline.unref();
      try {
        await options.close(reason);
      } catch (error) {
        logger.error({ err: error }, 'could not close cleanly');
        process.exit(1);
      }
      process.exit(code);
    })();
    return ending;
  };

  const onSignal = (signal: NodeJS.Signals) => {
    if (ending) process.exit(1);
    void end(signal);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('disconnect', () => void end('its supervisor is gone'));
  return {
    ready(report) {
      const message: SupervisedMessage = { ready: true, ...report };
      if (process.connected) process.send?.(message);
      else if (process.send) void end('its supervisor is gone');
    },
    end,
  };
}

/** What a supervisor reads from its child; undefined for any other message. */
export function readyReportOf(message: unknown): ReadyReport | undefined {
  if (typeof message !== 'object' || message === null || !('ready' in message) || message.ready !== true)
    return undefined;
  const port = 'port' in message && typeof message.port === 'number' ? message.port : 0;
  return 'executor' in message && typeof message.executor === 'string'
    ? { port, executor: message.executor }
    : { port };
}
