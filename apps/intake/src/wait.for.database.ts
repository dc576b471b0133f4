import { isDatabaseAway } from './http/database-away.js';

/** A start waits for a database that is not there yet; anything else ends it. */
export async function waitForDatabase<T>(
  work: () => Promise<T>,
  log: { warn(fields: object, message: string): void },
  pause: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      log.warn({ err: error }, 'the database is out of reach: waiting for it');
      await pause(Math.min(5000, 250 * 2 ** tries));
    }
  }
}
