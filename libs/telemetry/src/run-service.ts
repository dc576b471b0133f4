import { ConfigError } from './load-config.js';
import { createLogger, type Logger } from './logger.js';

/** The frame of every `main.ts`: what goes wrong at the start is said in one line, and the process ends with 1 (2: wrong settings). */
export async function runService(service: string, start: (logger: Logger) => Promise<void>): Promise<void> {
  const logger = createLogger({ service, level: process.env['LOG_LEVEL'] || 'info' });
  process.on('unhandledRejection', (error) => {
    logger.fatal({ err: error }, 'a rejection that nobody handles');
    process.exit(1);
  });
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'an error that nobody handles');
    process.exit(1);
  });
  try {
    await start(logger);
  } catch (error) {
    if (error instanceof ConfigError) {
      logger.fatal({ faults: error.faults }, error.message);
      process.exit(2);
    }
    logger.fatal({ err: error }, 'could not start');
    process.exit(1);
  }
}
